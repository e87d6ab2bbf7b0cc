import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededRandom } from './seeded-random';

/** An event as it was told, field by field, on whichever wire. */
export interface SeenEvent {
  cursor: string;
  id: string;
  type: string;
  messageId: string;
  recipient: string;
  status: string;
  detail: string;
  occurredAtMs: number;
}

/** Reads what comes after that cursor, until the signal or the server ends it. Rejects, or resolves: it is read on all the same. */
export type EventWay = (after: string, signal: AbortSignal, take: (events: readonly SeenEvent[], cursor: string) => void) => Promise<void>;

const READ_MS = { min: 20, max: 3000 };
const AWAY_MS = { min: 0, max: 500 };

/** Reads all events from the first on, over connections that are cut at random; each goes on from the last cursor, by any of its ways. */
export class EventReader {
  readonly seen: SeenEvent[] = [];
  /** From the event to its arrival, in ms: [when it arrived by Date.now, how long it took]. */
  readonly delays: [number, number][] = [];
  /** Ends of connections that were not cuts. */
  readonly ends: string[] = [];
  cursor = '0';
  cuts = 0;

  constructor(
    readonly kind: string,
    private readonly ways: readonly EventWay[],
    private readonly random: SeededRandom,
  ) {}

  async read(ending: AbortSignal): Promise<void> {
    while (!ending.aborted) {
      const cut = new AbortController();
      const timer = setTimeout(() => cut.abort(), this.random.integer(READ_MS.min, READ_MS.max));
      await this.readOnce(AbortSignal.any([cut.signal, ending]));
      clearTimeout(timer);
      if (cut.signal.aborted) this.cuts++;
      await sleep(this.random.integer(AWAY_MS.min, AWAY_MS.max));
    }
  }

  private async readOnce(signal: AbortSignal): Promise<void> {
    const take = (events: readonly SeenEvent[], cursor: string): void => {
      // What was on its way when the connection was cut never arrived.
      if (!signal.aborted) this.take(events, cursor);
    };
    try {
      await this.random.pick(this.ways)(this.cursor, signal, take);
      if (!signal.aborted) this.ends.push('end');
    } catch (error) {
      if (!signal.aborted) this.ends.push(error instanceof Error ? error.message : String(error));
    }
  }

  private take(events: readonly SeenEvent[], cursor: string): void {
    const now = Date.now();
    for (const event of events) {
      this.seen.push(event);
      this.delays.push([now, now - event.occurredAtMs]);
    }
    this.cursor = cursor;
  }
}

export interface Differences {
  missing: number;
  repeated: number;
  /** Told after one with a greater cursor. */
  disordered: number;
  /** Told with another content than is on record, or not on record at all. */
  differing: number;
}

/** What a reader saw against what is on record, in the order of the record. */
export function differences(seen: readonly SeenEvent[], onRecord: readonly SeenEvent[]): Differences {
  const byCursor = new Map(onRecord.map((event) => [event.cursor, JSON.stringify(line(event))]));
  const cursors = new Set(seen.map(({ cursor }) => cursor));
  return {
    missing: onRecord.filter(({ cursor }) => !cursors.has(cursor)).length,
    repeated: seen.length - cursors.size,
    disordered: seen.filter(({ cursor }, i) => i > 0 && Number(cursor) < Number(seen[i - 1]!.cursor)).length,
    differing: seen.filter((event) => byCursor.get(event.cursor) !== JSON.stringify(line(event))).length,
  };
}

const line = (event: SeenEvent) => [event.id, event.type, event.messageId, event.recipient, event.status, event.detail, event.occurredAtMs];
