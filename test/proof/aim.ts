import type { SeededRandom } from './seeded-random';

/** Where a moment is looked for, in milliseconds from another. */
export interface Range {
  min: number;
  max: number;
}

const SPREAD = 0.5;
const STEP = 0.02;

/** Random moments around one that nobody knows: nearer to it with each time that one was told to be early or late. */
export class Aim {
  private centre: number;

  constructor(private readonly range: Range) {
    this.centre = (range.min + range.max) / 2;
  }

  /** Within the range. */
  next(random: SeededRandom): number {
    return this.bounded(this.centre + (random.next() - 0.5) * SPREAD * this.width);
  }

  tell(moment: 'early' | 'late'): void {
    this.centre = this.bounded(this.centre + (moment === 'early' ? STEP : -STEP) * this.width);
  }

  private get width(): number {
    return this.range.max - this.range.min;
  }

  private bounded(ms: number): number {
    return Math.min(Math.max(ms, this.range.min), this.range.max);
  }
}
