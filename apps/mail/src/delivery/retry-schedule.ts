/** When a deferred mail is tried again: the wait triples with each attempt, up to a bound, with jitter. */
export class RetrySchedule {
  constructor(
    private readonly baseMs: number,
    private readonly maxMs: number,
    private readonly random: () => number = Math.random,
  ) {}

  /** @param attempts made so far, 1 or more */
  delayMs(attempts: number): number {
    const full = Math.min(this.baseMs * 3 ** Math.min(attempts - 1, 20), this.maxMs);
    // Between two thirds and the whole: mails deferred together do not come back together.
    return Math.round(full * (2 / 3 + this.random() / 3));
  }
}
