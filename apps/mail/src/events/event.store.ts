import { Injectable } from '@nestjs/common';
import { DatabaseClient } from '../database/database.client';

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

/**
 * $1 days, $2 tenants, $3 events of each, $4 the tenant to begin after. Of each tenant the first events, up to the first
 * one that is to be kept: never one in the middle, whatever the clocks of the writers said, and none too early. Two that
 * do this at once take the same rows in the same order: the second waits for the first, and finds them gone.
 */
const FORGET = `
with old as (
  select t.tenant from tenant_counter t
  cross join lateral (select occurred_at from event where tenant = t.tenant order by cursor limit 1) first
  where t.tenant > $4 and first.occurred_at < now() - make_interval(days => $1)
  order by t.tenant limit $2
), until as (
  select o.tenant, coalesce(min(e.cursor) filter (where e.occurred_at >= now() - make_interval(days => $1)), max(e.cursor) + 1) as cursor
  from old o cross join lateral (select cursor, occurred_at from event where tenant = o.tenant order by cursor limit $3) e
  group by o.tenant
), gone as (
  delete from event e using until u where e.tenant = u.tenant and e.cursor < u.cursor returning 1
)
select (select max(tenant) from old) as tenant, (select count(*) from gone) as removed`;
const TENANTS_AT_ONCE = 10;
const EVENTS_AT_ONCE = 500;

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

  /**
   * Removes some of what is older than so many days: a few events of a few tenants, so that the transaction is short.
   * @param afterTenant '': begins with the first tenant
   * @returns the last tenant that had some, undefined where none after `afterTenant` has; and how many are gone
   */
  async forget(days: number, afterTenant: string): Promise<{ tenant: string | undefined; removed: number }> {
    const values = [days, TENANTS_AT_ONCE, EVENTS_AT_ONCE, afterTenant];
    const { rows } = await this.database.run<{ tenant: string | null; removed: string }>({ name: 'event-forget', text: FORGET, values });
    return { tenant: rows[0]!.tenant ?? undefined, removed: Number(rows[0]!.removed) };
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
