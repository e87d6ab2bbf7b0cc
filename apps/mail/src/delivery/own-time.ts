/** Adds up what is waited for here, and not at a relay. */
export class OwnTime {
  ms = 0;

  async of<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.ms += performance.now() - began;
    }
  }

  /** The same items, with the time that each took to come. */
  async *between<T>(items: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    const iterator = items[Symbol.asyncIterator]();
    try {
      for (let next = await this.of(() => iterator.next()); !next.done; next = await this.of(() => iterator.next())) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
}
