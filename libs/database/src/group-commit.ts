import { beyondCall } from '@sky-genesis/grpc/beyond-call';
import { RuleError } from '@sky-genesis/grpc/rule-error';

export interface GroupCommitLimits<Item> {
  /** Items of one batch, at most. */
  maxItems: number;
  /** Bytes of one batch, at most; a larger single item goes alone. */
  maxBytes: number;
  /** Batches being written at once. */
  maxInFlight: number;
  /** Items and bytes that may wait; more are refused as OVERLOADED. */
  maxWaitingItems: number;
  maxWaitingBytes: number;
  sizeOf: (item: Item) => number;
  /** Whether a batch waits for what else comes in this turn of the event loop; else a lone item is written at once. */
  gathers?: boolean;
}

interface Waiting<Item, Result> {
  item: Item;
  bytes: number;
  signal: AbortSignal | undefined;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit: what arrives while a batch is being written goes into the next one, so that concurrent callers share
 * a transaction and a lone caller waits for nobody.
 */
export class GroupCommit<Item, Result> {
  private readonly waiting: Waiting<Item, Result>[] = [];
  private waitingBytes = 0;
  private inFlight = 0;
  private idle: (() => void)[] = [];
  private gathering: NodeJS.Immediate | undefined;

  /** @param write gives a result or an error for each item, in order; if it throws, all items failed by that */
  constructor(
    private readonly write: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>,
    private readonly limits: GroupCommitLimits<Item>,
  ) {}

  /**
   * @param signal an item whose caller has gone before its batch began is dropped, and not written
   * @throws RuleError OVERLOADED
   */
  submit(item: Item, signal?: AbortSignal): Promise<Result> {
    const bytes = this.limits.sizeOf(item);
    // What is larger than all that may wait would never be taken if it did not fit an empty queue.
    const tooMuch = this.waiting.length > 0 && this.waitingBytes + bytes > this.limits.maxWaitingBytes;
    if (tooMuch || this.waiting.length >= this.limits.maxWaitingItems) {
      return Promise.reject(new RuleError('OVERLOADED', undefined, { retryAfterSeconds: 1 }));
    }
    return new Promise<Result>((resolve, reject) => {
      this.waiting.push({ item, bytes, signal, resolve, reject });
      this.waitingBytes += bytes;
      if (this.limits.gathers) this.gather();
      else this.pump();
    });
  }

  /** Nothing waits and nothing is being written. */
  get isIdle(): boolean {
    return this.waiting.length === 0 && this.inFlight === 0;
  }

  /** Resolves once it is idle. */
  whenIdle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  private gather(): void {
    this.gathering ??= setImmediate(() => {
      this.gathering = undefined;
      this.pump();
    });
  }

  private pump(): void {
    while (this.inFlight < this.limits.maxInFlight && this.waiting.length > 0) {
      const batch = this.takeBatch();
      // A batch is of many calls: it does not end with the one that begins it.
      if (batch.length > 0) void beyondCall(() => this.commit(batch));
    }
    if (this.isIdle) {
      for (const resolve of this.idle.splice(0)) resolve();
    }
  }

  private takeBatch(): Waiting<Item, Result>[] {
    const batch: Waiting<Item, Result>[] = [];
    let bytes = 0;
    let taken = 0;
    for (const entry of this.waiting) {
      const gone = entry.signal?.aborted === true;
      if (!gone && batch.length > 0 && (batch.length >= this.limits.maxItems || bytes + entry.bytes > this.limits.maxBytes)) break;
      taken++;
      this.waitingBytes -= entry.bytes;
      if (gone) {
        entry.reject(entry.signal?.reason);
      } else {
        batch.push(entry);
        bytes += entry.bytes;
      }
    }
    this.waiting.splice(0, taken);
    return batch;
  }

  private async commit(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    this.inFlight++;
    try {
      const results = await this.write(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index];
        if (result instanceof Error) reject(result);
        else resolve(result as Result);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.inFlight--;
      this.pump();
    }
  }
}
