import { Injectable } from '@nestjs/common';
import { DatabaseClient } from '@sky-genesis/database';
import type { EmailState } from './email-document';
import type { SetAside } from './feed-failures';
import { TENANTS_ASKED, type TenantPlace } from './feed-backlog';
import { BEHIND, CLOCK, EMAILS, EVENTS, FROM_THE_START, KEEP, LEASE, MOVE, REBUILD, SET_ASIDE_COUNT, WALK } from './search-feed.statements';

/** Who does not renew the lease within this time has lost it. */
export const FEED_LEASE_MS = 5000;
/** Texts read at once, in bytes as they are stored, but for the first mail. */
const MAX_READ_BYTES = 8 * 1024 * 1024;

export interface FeedState {
  rebuilds: number;
  checkpoint: string;
  throughMs: number;
}

export interface FeedClock {
  /** The database's, unix milliseconds. */
  nowMs: number;
  rebuilds: number;
  /** Whether the lease is still this worker's. */
  held: boolean;
}

export interface EmailPlace {
  tenant: string;
  /** UUID. */
  id: string;
}

export interface EventMark extends EmailPlace {
  cursor: number;
}

/** What a turn has come to. */
export interface Progress {
  places: readonly (TenantPlace & { walked: number })[];
  fed: readonly EmailPlace[];
  setAside: readonly SetAside[];
}

interface StateRow {
  rebuilds: number;
  checkpoint: string;
  through_ms: string;
}

/** Where the feed is, and what it reads. What it writes, it writes only while it has the lease and no rebuild came between. */
@Injectable()
export class SearchFeedStore {
  constructor(private readonly database: DatabaseClient) {}

  /** Takes or renews the lease; undefined: another worker has it. */
  async lease(worker: string): Promise<FeedState | undefined> {
    const { rows } = await this.database.run<StateRow>({ name: 'feed-lease', text: LEASE, values: [worker, FEED_LEASE_MS] });
    return rows[0] && { rebuilds: rows[0].rebuilds, checkpoint: rows[0].checkpoint, throughMs: Number(rows[0].through_ms) };
  }

  async giveBack(worker: string): Promise<void> {
    const text = 'update search_feed_state set worker = null, leased_until = null where worker = $1';
    await this.database.run({ name: 'feed-give-back', text, values: [worker] });
  }

  async clock(worker: string): Promise<FeedClock> {
    const [row] = await this.database.read<{ now_ms: string; rebuilds: number; held: boolean }>({
      name: 'feed-clock',
      text: CLOCK,
      values: [worker],
    });
    return { nowMs: Number(row!.now_ms), rebuilds: row!.rebuilds, held: row!.held };
  }

  /** The next tenants behind that one that have something to feed, TENANTS_ASKED at most. */
  async behind(after: string): Promise<TenantPlace[]> {
    const rows = await this.database.read<{ tenant: string; cursor: string; last_event: string; walk_after: string | null }>({
      name: 'feed-behind',
      text: BEHIND,
      values: [after, TENANTS_ASKED],
    });
    return rows.map((row) => {
      return { tenant: row.tenant, cursor: Number(row.cursor), last: Number(row.last_event), walkAfter: row.walk_after };
    });
  }

  /** The next events of each of these tenants, `limit` of each at most, in order. */
  async events(places: readonly TenantPlace[], limit: number): Promise<EventMark[]> {
    const values = [places.map(({ tenant }) => tenant), places.map(({ cursor }) => cursor), places.map(({ last }) => last), limit];
    const rows = await this.database.read<EmailPlace & { cursor: string }>({ name: 'feed-events', text: EVENTS, values });
    return rows.map(({ tenant, id, cursor }) => ({ tenant, id, cursor: Number(cursor) }));
  }

  /** The next mails of each of these tenants that are read again, `limit` of each at most, in order. */
  async walk(places: readonly TenantPlace[], limit: number): Promise<EmailPlace[]> {
    const values = [places.map(({ tenant }) => tenant), places.map(({ walkAfter }) => walkAfter), limit];
    return this.database.read<EmailPlace>({ name: 'feed-walk', text: WALK, values });
  }

  /**
   * Mails as they are: the first of those asked for, as many as may be read at once, one at least.
   * @param contentChars how much of a body is of use
   * @returns in order; without `email`: it is gone
   */
  async emails(places: readonly EmailPlace[], contentChars: number, htmlChars: number): Promise<ReadEmail[]> {
    const values = [places.map(({ tenant }) => tenant), places.map(({ id }) => id), contentChars, htmlChars, MAX_READ_BYTES];
    return this.database.read<ReadEmail>({ name: 'feed-emails', text: EMAILS, values });
  }

  /** @returns whether it was written: the lease is held, and everything is not to be read again */
  async move(worker: string, rebuilds: number, { places, fed, setAside }: Progress): Promise<boolean> {
    const failures = setAside.map(({ change, error }) => ({ tenant: change.tenant, id: change.id, version: change.version, error }));
    const values = [worker, rebuilds, JSON.stringify(places), JSON.stringify(failures), JSON.stringify(fed)];
    return (await this.database.run({ name: 'feed-move', text: MOVE, values })).rowCount === 1;
  }

  /** Has these tenants read as a whole: some of their events are no longer there. */
  async fromTheStart(worker: string, rebuilds: number, tenants: readonly string[]): Promise<boolean> {
    const values = [worker, rebuilds, tenants];
    return (await this.database.run({ name: 'feed-from-the-start', text: FROM_THE_START, values })).rowCount === 1;
  }

  /** Remembers what is kept beside the documents. */
  async keep(worker: string, checkpoint: string, throughMs: number): Promise<boolean> {
    return (await this.database.run({ name: 'feed-keep', text: KEEP, values: [worker, checkpoint, throughMs] })).rowCount === 1;
  }

  /** How many mails are set aside; 10,000: so many or more. */
  async setAsideCount(): Promise<number> {
    const [row] = await this.database.read<{ count: string }>({ name: 'feed-set-aside', text: SET_ASIDE_COUNT, values: [] });
    return Number(row!.count);
  }

  /**
   * Has all mails of all tenants read again.
   * @returns the number of this rebuild
   */
  async rebuild(): Promise<number> {
    const { rows } = await this.database.run<{ rebuilds: number }>({ name: 'feed-rebuild', text: REBUILD, values: [] });
    return rows[0]!.rebuilds;
  }
}

/** A row of `emails`. */
export interface ReadEmail extends EmailPlace {
  lastEvent: number;
  email: Omit<EmailState, 'tenant' | 'id' | 'lastEvent'> | null;
}
