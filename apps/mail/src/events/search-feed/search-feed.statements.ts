/** $1 worker, $2 milliseconds. */
export const LEASE = `
update search_feed_state set worker = $1, leased_until = now() + make_interval(secs => $2::float8 / 1000)
where worker is null or worker = $1 or leased_until is null or leased_until < now()
returning rebuilds, checkpoint, through_ms`;

export const CLOCK = `
select floor(extract(epoch from clock_timestamp()) * 1000) as now_ms, rebuilds, coalesce(worker = $1, false) as held from search_feed_state`;

/** $1 the tenant to begin after, $2 limit. A tenant that is not known yet begins at 0. */
export const BEHIND = `
select t.tenant, coalesce(f.cursor, 0) as cursor, t.last_event, f.walk_after
from tenant_counter t left join search_feed f using (tenant)
where t.tenant > $1 and (t.last_event > coalesce(f.cursor, 0) or f.walk_after is not null)
order by t.tenant limit $2`;

/** $1 tenants, $2 cursors, $3 last events, $4 limit. */
export const EVENTS = `
select g.tenant, e.cursor, e.email_id as id
from unnest($1::text[], $2::bigint[], $3::bigint[]) with ordinality as g(tenant, after, last, i)
cross join lateral (
  select cursor, email_id from event where tenant = g.tenant and cursor > g.after and cursor <= g.last order by cursor limit $4
) e
order by g.i, e.cursor`;

/** $1 tenants, $2 the mails to begin after, $3 limit. */
export const WALK = `
select g.tenant, e.id
from unnest($1::text[], $2::uuid[]) with ordinality as g(tenant, after, i)
cross join lateral (select id from email where tenant = g.tenant and id > g.after order by id limit $3) e
order by g.i, e.id`;

/**
 * $1 tenants, $2 ids, $3 characters of a body, $4 of HTML, $5 bytes. The last event of the tenant is of the same snapshot
 * as the mail: a state that has seen more events has the higher version. Lengths are told by PostgreSQL without reading
 * what they are of, so that what does not fit this time is not read.
 */
export const EMAILS = `
with given as (
  select * from unnest($1::text[], $2::uuid[]) with ordinality as g(tenant, id, i)
), sized as (
  select g.*, coalesce(octet_length(e.body), 0) + coalesce(octet_length(e.html_body), 0) as text_bytes,
    sum(coalesce(least(octet_length(e.body), $3 * 4) + least(octet_length(e.html_body), $4 * 4), 0)) over (order by g.i)
      - coalesce(least(octet_length(e.body), $3 * 4) + least(octet_length(e.html_body), $4 * 4), 0) as bytes_before
  from given g left join email e on e.tenant = g.tenant and e.id = g.id
)
select s.tenant, s.id, coalesce(t.last_event, 0)::float8 as "lastEvent",
  case when e.id is not null then json_build_object(
    'createdAt', floor(extract(epoch from e.created_at))::bigint, 'from', e.from_mailbox, 'to', e.to_mailboxes, 'cc', e.cc_mailboxes,
    'bcc', e.bcc_mailboxes, 'subject', e.subject, 'body', left(e.body, $3), 'metadata', e.metadata,
    'htmlBody', case when btrim(left(e.body, 1000), E' \\t\\r\\n') = '' then left(e.html_body, $4) else '' end,
    'statuses', (select coalesce(json_agg(distinct case when r.status = 'queued' and e.send_at > now() then 'scheduled' else r.status end), '[]')
      from recipient r where r.tenant = e.tenant and r.email_id = e.id),
    'filenames', coalesce(a.filenames, '[]'), 'size', s.text_bytes + coalesce(a.bytes, 0)
  ) end as email
from sized s left join tenant_counter t on t.tenant = s.tenant left join email e on e.tenant = s.tenant and e.id = s.id
left join lateral (
  select json_agg(filename order by position) as filenames, sum(coalesce(size, octet_length(content))) as bytes
  from attachment where tenant = e.tenant and email_id = e.id and e.attachment_count > 0
) a on true
where s.bytes_before < $5
order by s.i`;

/** Nothing where the lease is lost or a rebuild has begun; while this holds the row, neither can happen. $1 worker, $2 rebuilds. */
const FENCE = `fence as (select rebuilds from search_feed_state where worker = $1 and rebuilds = $2 for share)`;

/** $3 places, $4 what is set aside, $5 what is fed. Cursors only move forward. */
export const MOVE = `
with ${FENCE}, places as (
  insert into search_feed as f (tenant, cursor, walk_after, walked)
  select p.tenant, p.cursor, p."walkAfter", p.walked
  from fence, json_to_recordset($3::json) as p(tenant text, cursor bigint, "walkAfter" uuid, walked bigint)
  order by p.tenant
  on conflict (tenant) do update
    set cursor = greatest(f.cursor, excluded.cursor), walk_after = excluded.walk_after, walked = f.walked + excluded.walked
), failures as (
  insert into search_feed_failure as f (tenant, email_id, version, error, failed_at)
  select p.tenant, p.id, p.version, p.error, now()
  from fence, json_to_recordset($4::json) as p(tenant text, id uuid, version bigint, error text)
  on conflict (tenant, email_id) do update set version = excluded.version, error = excluded.error, failed_at = excluded.failed_at
), healed as (
  delete from search_feed_failure f using fence, json_to_recordset($5::json) as p(tenant text, id uuid)
  where f.tenant = p.tenant and f.email_id = p.id
)
select from fence`;

/** $3 tenants. What the events say up to now is part of what is read from now on. */
export const FROM_THE_START = `
with ${FENCE}, places as (
  insert into search_feed as f (tenant, cursor, walk_after)
  select t.tenant, t.last_event, '00000000-0000-0000-0000-000000000000' from fence, tenant_counter t where t.tenant = any($3) order by t.tenant
  on conflict (tenant) do update set cursor = excluded.cursor, walk_after = excluded.walk_after, walked = 0
)
select from fence`;

/** $1 worker, $2 checkpoint, $3 through. */
export const KEEP = `update search_feed_state set checkpoint = $2, through_ms = $3 where worker = $1`;

export const SET_ASIDE_COUNT = `select count(*) from (select from search_feed_failure limit 10000) f`;

/** The state first: who moves a cursor meanwhile has either done so before, or finds that everything is to be read again. */
export const REBUILD = `
with state as (
  update search_feed_state set rebuilds = rebuilds + 1 returning rebuilds
), places as (
  insert into search_feed as f (tenant, cursor, walk_after)
  select t.tenant, t.last_event, '00000000-0000-0000-0000-000000000000' from state, tenant_counter t order by t.tenant
  on conflict (tenant) do update set cursor = greatest(f.cursor, excluded.cursor), walk_after = excluded.walk_after, walked = 0
)
select rebuilds from state`;
