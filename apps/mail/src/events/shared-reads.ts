import { beyondCall } from '@sky-genesis/grpc/beyond-call';

/**
 * Reads that many ask for at once: the same one is made once for all of them, and only so many go on at a time, so that
 * a thousand watchers take no more of the database than one does. Each caller waits for one read, which bounds the line.
 * A read goes on when the call that asked for it first ends: others may wait for it.
 */
export class SharedReads<T> {
  private readonly running = new Map<string, Promise<T>>();
  private readonly line: (() => void)[] = [];

  /** @param free reads at a time */
  constructor(private free: number) {}

  /** @param key says what is read: who asks for the same while that is being read gets the same answer */
  read(key: string, work: () => Promise<T>): Promise<T> {
    const begun = this.running.get(key);
    if (begun) return begun;
    const reading = beyondCall(() => this.inTurn(work)).finally(() => this.running.delete(key));
    this.running.set(key, reading);
    return reading;
  }

  private async inTurn(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.line.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.line.shift();
      if (next) next();
      else this.free++;
    }
  }
}
