import { Injectable } from '@nestjs/common';
import { DatabaseClient } from '@sky-genesis/database';

export interface StoredEvent {
  id: string;
  cursor: number;
  type: string;
  emailId: string;
  recipient: string;
  status: string;
  detail: string;
  occurredAtMs: number;
}

export interface EventFilter {
  types?: readonly string[] | undefined;
  emailId?: string | undefined;
}

/** The cursors of a tenant. */
export interface EventRange {
  /** The first that is kept; one more than `last` where none is. */
  first: number;
  /** 0: there has been no event. */
  last: number;
}

export interface EventPage extends Omit<EventRange, 'first'> {
  events: StoredEvent[];
  /** Up to where the table was searched: the last event of the page, or further where the filter left some out. */
  cursor: number;
  /** Set where events after the one asked for are no longer kept: then the page is of no use. */
  missingBefore?: number;
}

/** How many events one read looks at for those that a filter lets through. */
const MAX_SEARCHED = 10_000;

const LAST = `coalesce((select last_event from tenant_counter where tenant = $1), 0)`;
const FIRST = `(select min(cursor) from event where tenant = $1)`;

/**
 * $1 tenant, $2 after, $3 limit, $4 searched at most, $5 types, $6 email. One statement and so one snapshot: what it
 * finds, and what it says is missing or to come, belong together. Cursors are dense, and only the first ones are ever
 * removed: where the one after $2 is, all after it are.
 */
const page = (ofOneEmail: boolean) => `
select p.last_event, p.first, p.searched_to, e.id, e.cursor, e.type, e.email_id, e.recipient, e.status, e.detail,
  floor(extract(epoch from e.occurred_at) * 1000) as occurred_at_ms
from (
  select last_event,
    case when last_event > $2 and not exists (select from event where tenant = $1 and cursor = $2::bigint + 1)
      then coalesce(${FIRST}, last_event + 1) end as first,
    ${
      ofOneEmail
        ? `coalesce((select cursor from event where tenant = $1 and email_id = $6::uuid and cursor > $2::bigint
            order by cursor offset $4::integer - 1 limit 1), last_event)`
        : `least($2::bigint + $4::integer, last_event)`
    } as searched_to
  from (select ${LAST} as last_event) c
) p left join lateral (
  select * from event
  where tenant = $1 and cursor > $2::bigint and cursor <= p.searched_to and ($5::text[] is null or type = any($5))
    ${ofOneEmail ? 'and email_id = $6::uuid' : ''}
  order by cursor limit $3
) e on true
order by e.cursor`;

const PAGE = page(false);
const PAGE_OF_EMAIL = page(true);

/** $1 days, $2 the tenant to begin after. */
const TENANTS_WITH_OLD = `
select t.tenant from tenant_counter t
cross join lateral (select occurred_at from event where tenant = t.tenant order by cursor limit 1) first
where t.tenant > $2 and first.occurred_at < now() - make_interval(days => $1)
order by t.tenant limit 100`;

/**
 * $1 tenant, $2 days, $3 limit. The first events, up to the first one that is to be kept: never one in the middle,
 * whatever the clocks of the writers said, and none too early. By both ends of the range, so that it is an index scan.
 * Two that do this at once take the same rows in the same order: the second waits for the first, and finds them gone.
 */
const FORGET = `
with early as (
  select cursor, bool_and(occurred_at < now() - make_interval(days => $2)) over (order by cursor) as old
  from (select cursor, occurred_at from event where tenant = $1 order by cursor limit $3) e
)
delete from event where tenant = $1
  and cursor >= (select min(cursor) from early) and cursor <= (select max(cursor) from early where old)`;
const MAX_FORGOTTEN = 5000;

interface PageRow {
  last_event: string;
  first: string | null;
  searched_to: string;
  id: string | null;
  cursor: string;
  type: string;
  email_id: string;
  recipient: string;
  status: string;
  detail: string;
  occurred_at_ms: string;
}

/** Reads events, and forgets old ones. They are written where the state changes, in the same statement. */
@Injectable()
export class EventStore {
  constructor(private readonly database: DatabaseClient) {}

  async range(tenant: string): Promise<EventRange> {
    const text = `select last, coalesce(${FIRST}, last + 1) as first from (select ${LAST} as last) c`;
    const [row] = await this.database.read<{ first: string; last: string }>({ name: 'event-range', text, values: [tenant] });
    return { first: Number(row!.first), last: Number(row!.last) };
  }

  /** The next events after that cursor, `limit` at most; fewer where the filter leaves some out, though more follow. */
  async page(tenant: string, after: number, filter: EventFilter, limit: number): Promise<EventPage> {
    const values = [tenant, after, limit, MAX_SEARCHED, filter.types ?? null];
    const rows = await this.database.read<PageRow>(
      filter.emailId === undefined
        ? { name: 'event-page', text: PAGE, values }
        : { name: 'event-page-of-email', text: PAGE_OF_EMAIL, values: [...values, filter.emailId] },
    );
    const [{ last_event: last, first, searched_to: searchedTo }] = rows as [PageRow];
    const events = rows.filter(({ id }) => id !== null).map(toEvent);
    return {
      events,
      last: Number(last),
      cursor: events.length === limit ? events.at(-1)!.cursor : Number(searchedTo),
      ...(first !== null && { missingBefore: Number(first) }),
    };
  }

  /** The last cursor of each of these tenants that has one. */
  async lastOf(tenants: readonly string[]): Promise<{ tenant: string; last: number }[]> {
    const rows = await this.database.read<{ tenant: string; last_event: string }>({
      name: 'event-last',
      text: 'select tenant, last_event from tenant_counter where tenant = any($1)',
      values: [tenants],
    });
    return rows.map(({ tenant, last_event: last }) => ({ tenant, last: Number(last) }));
  }

  /** Tenants that have events older than so many days, in order: some of those after that one. */
  async tenantsWithOld(days: number, after: string): Promise<string[]> {
    const statement = { name: 'event-old', text: TENANTS_WITH_OLD, values: [days, after] };
    return (await this.database.read<{ tenant: string }>(statement)).map(({ tenant }) => tenant);
  }

  /**
   * Removes events of the tenant that are older than so many days, not all at once.
   * @returns how many; 0: nothing is left to remove, or another process does it
   */
  async forget(tenant: string, days: number): Promise<number> {
    return (await this.database.run({ name: 'event-forget', text: FORGET, values: [tenant, days, MAX_FORGOTTEN] })).rowCount ?? 0;
  }
}

const toEvent = (row: PageRow): StoredEvent => ({
  id: row.id!,
  cursor: Number(row.cursor),
  type: row.type,
  emailId: row.email_id,
  recipient: row.recipient,
  status: row.status,
  detail: row.detail,
  occurredAtMs: Number(row.occurred_at_ms),
});
