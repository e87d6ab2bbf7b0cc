import { setTimeout } from 'node:timers/promises';

/** Waits that double, each drawn from the upper half of its length so that many who lost the same thing do not return as one. */
export class Backoff {
  private nextMs: number;

  /** @param maxMs the longest wait */
  constructor(
    private readonly firstMs: number,
    private readonly maxMs: number,
  ) {
    this.nextMs = firstMs;
  }

  /** Ends early, without an error, when the signal aborts. It does not keep the process alive. */
  async wait(signal: AbortSignal): Promise<void> {
    const ms = this.nextMs * (0.5 + Math.random() / 2);
    this.nextMs = Math.min(this.nextMs * 2, this.maxMs);
    await pause(ms, signal);
  }

  /** What was tried has worked: the next wait is short again. */
  reset(): void {
    this.nextMs = this.firstMs;
  }
}

/** Ends early, without an error, when the signal aborts. It does not keep the process alive. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
