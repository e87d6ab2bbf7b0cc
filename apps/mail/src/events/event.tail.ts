import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { beyondCall } from '@sky-genesis/grpc/beyond-call';
import { EventStore } from './event.store';

const INTERVAL_MS = 100;

interface Waiter {
  after: number;
  end(moved: boolean): void;
}

/**
 * Tells those who have read all events of a tenant when there are more. One question ten times a second for all of them,
 * while there are any: LISTEN would be faster by a moment, and NOTIFY makes all commits wait for each other.
 */
@Injectable()
export class EventTail implements OnModuleDestroy {
  private readonly logger = new Logger(EventTail.name);
  private readonly waiting = new Map<string, Set<Waiter>>();
  private timer: NodeJS.Timeout | undefined;
  private failing = false;
  private stopped = false;

  constructor(private readonly store: EventStore) {}

  onModuleDestroy(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Whether the database did not answer the last question. */
  get away(): boolean {
    return this.failing;
  }

  /**
   * Waits for an event after that one, as long as it takes for the database to be there.
   * @returns whether there is one; false when the time is over or the signal ended first
   */
  moved(tenant: string, after: number, ms: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiters = this.waiting.get(tenant) ?? new Set();
      const end = (moved: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        waiters.delete(waiter);
        if (waiters.size === 0) this.waiting.delete(tenant);
        resolve(moved);
      };
      const giveUp = () => end(false);
      const waiter: Waiter = { after, end };
      const timer = setTimeout(giveUp, ms);
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiting.set(tenant, waiters.add(waiter));
      // The questions are all waiters': they do not end with the call of the first one.
      this.timer ??= beyondCall(() => setTimeout(() => void this.ask(), INTERVAL_MS));
    });
  }

  private async ask(): Promise<void> {
    try {
      for (const { tenant, last } of await this.store.lastOf([...this.waiting.keys()])) this.wake(tenant, last);
      if (this.failing) this.logger.log('events can be read again');
      this.failing = false;
    } catch (err) {
      if (!this.failing) this.logger.warn({ err }, 'events cannot be read; those who watch wait');
      this.failing = true;
    }
    this.timer = this.waiting.size > 0 && !this.stopped ? setTimeout(() => void this.ask(), INTERVAL_MS) : undefined;
  }

  private wake(tenant: string, last: number): void {
    for (const waiter of [...(this.waiting.get(tenant) ?? [])]) if (waiter.after < last) waiter.end(true);
  }
}
