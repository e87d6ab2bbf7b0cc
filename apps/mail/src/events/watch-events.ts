import { Injectable } from '@nestjs/common';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import { checkEventQuery, type EventQuery } from './event-query';
import type { EventFilter, EventPage, StoredEvent } from './event.store';
import { EventTail } from './event.tail';
import { ReadEvents } from './read-events';
import { SharedReads } from './shared-reads';

/** What a watcher is sent: without events it says that there are none up to this cursor. */
export interface EventBatch {
  events: readonly StoredEvent[];
  cursor: number;
}

/** As the contract says. */
const HEARTBEAT_MS = 15_000;
const MAX_BATCH = 200;
/** Of the process's connections: accepting and delivering need theirs. */
const READS_AT_A_TIME = 2;
/** How long a watch goes on without the database: longer, and silence would pass for news that nothing happened. */
const PATIENCE_MS = 30_000;

/** Ends after which the caller goes on from its cursor. */
const GOES_ON: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'SERVER_DRAINING', 'DATABASE_UNAVAILABLE']);

/** One watch, and where it stands; times in ms. */
interface Watch {
  readonly tenant: string;
  readonly filter: EventFilter;
  readonly signal: AbortSignal;
  cursor: number;
  toldAt: number;
  failingSince?: number | undefined;
}

@Injectable()
export class WatchEvents {
  private readonly reads = new SharedReads<EventPage>(READS_AT_A_TIME);

  constructor(
    private readonly events: ReadEvents,
    private readonly tail: EventTail,
  ) {}

  /**
   * Batches as they come, the first at once and without events. The next is read when it is asked for: a watcher that is
   * slow costs one batch. Ends by throwing: the signal's reason; DATABASE_UNAVAILABLE after half a minute without it;
   * CURSOR_OUT_OF_RANGE when what comes next is no longer kept. Where the caller can go on, a last batch and the fact
   * `cursor` say from where.
   * @throws InvalidArgumentError
   */
  async *watch(tenant: string, query: EventQuery, signal: AbortSignal): AsyncGenerator<EventBatch, never, void> {
    const { from, filter } = checkEventQuery(query);
    const watch: Watch = { tenant, filter, signal, cursor: await this.events.start(tenant, from), toldAt: 0 };
    // Before the first answer, so that a cursor that cannot be gone on from is an error and no answer.
    const first = await this.read(watch);
    yield tell(watch, []);
    try {
      return yield* this.follow(watch, first);
    } catch (error) {
      if (!(error instanceof RuleError) || !GOES_ON.has(error.reason)) throw error;
      yield tell(watch, []);
      throw new RuleError(error.reason, error.message, { facts: { cursor: String(watch.cursor) } });
    }
  }

  private async *follow(watch: Watch, first: EventPage): AsyncGenerator<EventBatch, never, void> {
    for (let page: EventPage | undefined = first; ; page = await this.next(watch)) {
      if (page) watch.cursor = page.cursor;
      const events = page?.events ?? [];
      if (events.length > 0 || Date.now() - watch.toldAt >= HEARTBEAT_MS) yield tell(watch, events);
      if (page && page.cursor < page.last) continue;
      await this.tail.moved(watch.tenant, watch.cursor, watch.toldAt + HEARTBEAT_MS - Date.now(), watch.signal);
    }
  }

  /** @returns undefined while the database is away, which the tail finds out for all watches */
  private async next(watch: Watch): Promise<EventPage | undefined> {
    watch.signal.throwIfAborted();
    try {
      const page = this.tail.away ? undefined : await this.read(watch);
      if (page) return page;
    } catch (error) {
      if (!(error instanceof RuleError) || error.reason !== 'DATABASE_UNAVAILABLE') throw error;
    }
    watch.failingSince ??= Date.now();
    if (Date.now() - watch.failingSince >= PATIENCE_MS) throw new RuleError('DATABASE_UNAVAILABLE');
    return undefined;
  }

  private async read(watch: Watch): Promise<EventPage> {
    const { tenant, cursor, filter } = watch;
    const key = JSON.stringify([tenant, cursor, filter]);
    const page = await this.reads.read(key, () => this.events.page(tenant, cursor, filter, MAX_BATCH));
    watch.failingSince = undefined;
    return page;
  }
}

function tell(watch: Watch, events: readonly StoredEvent[]): EventBatch {
  watch.toldAt = Date.now();
  return { events, cursor: watch.cursor };
}
