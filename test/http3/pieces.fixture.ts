/** As bytes arrive: in pieces of `size`. Counts what was taken. */
export class Pieces implements AsyncIterable<Buffer> {
  taken = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly size: number,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    while (this.taken < this.bytes.length) {
      const piece = this.bytes.subarray(this.taken, this.taken + this.size);
      this.taken += piece.length;
      yield piece;
    }
  }
}
