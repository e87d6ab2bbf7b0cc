/** Gives out the ids of one kind of stream, in order, as far as the peer's limit allows (RFC 9000, 2.1 and 4.6). */
export class StreamIds {
  private readonly waiting: PromiseWithResolvers<number>[] = [];

  /**
   * @param left how many more the peer allows
   * @param open tells QUIC of a new one
   */
  constructor(
    private next: number,
    private readonly left: () => number,
    private readonly open: (id: number) => void,
  ) {}

  take(): Promise<number> {
    const turn = Promise.withResolvers<number>();
    this.waiting.push(turn);
    this.admit();
    return turn.promise;
  }

  /** To be called when the limit may have risen. */
  admit(): void {
    while (this.waiting.length > 0 && this.left() > 0) {
      const id = this.next;
      this.next += 4;
      this.open(id);
      this.waiting.shift()?.resolve(id);
    }
  }

  fail(error: Error): void {
    for (const turn of this.waiting.splice(0)) turn.reject(error);
  }
}
