import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededRandom } from './seeded-random';

/** Most kills meet a system that is whole again, for so long; */
const ALONE = 0.7;
const WHOLE_MS = { min: 500, max: 8000 };
/** the others come so long after the one before, however far that is back. */
const APART_MS = { min: 500, max: 4000 };

/** A part that is killed. */
export interface Victim {
  name: string;
  /** kill -9; resolves when it is back, started again by whoever does that. */
  kill(): Promise<void>;
}

export interface Outage {
  victim: string;
  /** In ms since the epoch; `backAt`: when it said that it is ready. */
  killedAt: number;
  backAt: number;
}

/** kill -9 of each victim in turn, in an order and at distances of chance, again and again. */
export class SearchOutages {
  /** Those that are over, and those that are not, whose `backAt` is Infinity. */
  readonly outages: Outage[] = [];
  private readonly returns = new Map<string, Promise<void>>();
  private readonly ending = new AbortController();

  constructor(
    private readonly victims: readonly Victim[],
    private readonly random: SeededRandom,
  ) {}

  /** Resolves when it was ended and all are back; each is killed once at least. */
  async begin(): Promise<void> {
    for (let round = 1; round === 1 || !this.isEnding; round++) {
      for (const victim of this.shuffled()) {
        await this.rest();
        if (round > 1 && this.isEnding) break;
        await this.returns.get(victim.name);
        this.returns.set(victim.name, this.kill(victim));
      }
    }
    await Promise.all(this.returns.values());
  }

  end(): void {
    this.ending.abort();
  }

  /** What was away at some moment of this time; empty: nothing. */
  during(from: number, to: number): string[] {
    return [...new Set(this.outages.filter(({ killedAt, backAt }) => killedAt <= to && backAt >= from).map(({ victim }) => victim))].sort();
  }

  private get isEnding(): boolean {
    return this.ending.signal.aborted;
  }

  private async rest(): Promise<void> {
    const alone = this.random.next() < ALONE;
    if (alone) await Promise.all(this.returns.values());
    const { min, max } = alone ? WHOLE_MS : APART_MS;
    await sleep(this.random.integer(min, max), undefined, { signal: this.ending.signal }).catch(() => undefined);
  }

  private async kill(victim: Victim): Promise<void> {
    const outage: Outage = { victim: victim.name, killedAt: Date.now(), backAt: Infinity };
    this.outages.push(outage);
    await victim.kill();
    outage.backAt = Date.now();
  }

  private shuffled(): Victim[] {
    const left = [...this.victims];
    return this.victims.map(() => left.splice(this.random.integer(0, left.length - 1), 1)[0] as Victim);
  }
}
