/** Everything that a round started, to be ended however the round goes. */
export class Started {
  private readonly enders: (() => Promise<void> | void)[] = [];
  private ending: Promise<void> | undefined;

  /** @param end may be called at any time from now on; bounded in time */
  onEnd(end: () => Promise<void> | void): void {
    if (this.ending) throw new Error('too late: the round is being ended');
    this.enders.push(end);
  }

  /** Last started, first ended; one that fails keeps none of the others from ending. */
  end(): Promise<void> {
    this.ending ??= this.endAll();
    return this.ending;
  }

  private async endAll(): Promise<void> {
    for (const end of this.enders.toReversed()) {
      try {
        await end();
      } catch (error) {
        console.error(error);
      }
    }
  }
}
