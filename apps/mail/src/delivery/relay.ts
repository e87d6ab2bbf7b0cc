import type { SmtpTransport } from './smtp.transport';

export interface RelayLimits {
  connections: number;
  /** Mails a second; undefined: no bound. */
  rate: number | undefined;
}

const FIRST_DOWN_MS = 5000;
const LONGEST_DOWN_MS = 300_000;

/** One relay: how many mails it may have now, and whether it can be reached. */
export class Relay {
  private underWay = 0;
  /** Mails that may begin at once, by the rate; refilled with time. */
  private allowance: number;
  private refilledAt = 0;
  private failures = 0;
  private downUntil = 0;

  constructor(
    readonly transport: Pick<SmtpTransport, 'send' | 'close'>,
    private readonly limits: RelayLimits,
  ) {
    this.allowance = limits.rate ?? Infinity;
  }

  /** It could not be reached a moment ago. */
  isDown(now: number): boolean {
    return now < this.downUntil;
  }

  /** It has failed, and no mail has got through since: one at a time finds out whether it can be reached again. */
  get isDoubtful(): boolean {
    return this.failures > 0;
  }

  /** @param trusting whether to give a doubtful one its full share, for want of another */
  room(now: number, trusting: boolean): number {
    this.refill(now);
    const connections = this.isDoubtful && !trusting ? 1 : this.limits.connections;
    return Math.max(0, Math.min(connections - this.underWay, Math.floor(this.allowance)));
  }

  begin(): void {
    this.underWay++;
    this.allowance--;
  }

  end(reached: boolean, now: number): void {
    this.underWay--;
    if (reached) {
      this.failures = 0;
      this.downUntil = 0;
    } else {
      this.downUntil = now + Math.min(FIRST_DOWN_MS * 2 ** Math.min(this.failures, 10), LONGEST_DOWN_MS);
      this.failures++;
    }
  }

  private refill(now: number): void {
    const { rate } = this.limits;
    if (rate === undefined) return;
    this.allowance = Math.min(rate, this.allowance + ((now - this.refilledAt) / 1000) * rate);
    this.refilledAt = now;
  }
}
