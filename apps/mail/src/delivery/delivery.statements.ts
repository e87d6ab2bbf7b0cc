import { TRANSITIONS } from '../emails/recipient.statements';

/** Tenants looked at by one claim; with more, the next claim goes on after the last of them. */
const TENANTS_A_CLAIM = 100;

/**
 * $1 worker, $2 limit, $3 lease in ms, $4 ids that the worker has under way, $5 the tenants of these, once for each,
 * $6 places that one tenant may hold, $7 the tenant to begin after.
 *
 * Tenants take turns: the one with the fewest mails under way comes first, and within a tenant the oldest mail. Tenants
 * are found by stepping through the index, so that neither a flood nor what is scheduled for later costs anything.
 * `worker` of a job that is due again: one that died. Its mark, if it has one, stays until the doubt is on record.
 */
export const CLAIM = `
with recursive tenants as (
  select * from (select tenant, 1 as n from job where tenant > $7 order by tenant limit 1) first
  union all
  select following.tenant, n + 1 from tenants t
  cross join lateral (select tenant from job where tenant > t.tenant order by tenant limit 1) following
  where n < ${TENANTS_A_CLAIM}
), candidates as (
  select d.*, held.mails + row_number() over (partition by d.tenant order by d.run_at) as turn
  from tenants t
  cross join lateral (select count(*) as mails from unnest($5::text[]) h where h = t.tenant) held
  cross join lateral (
    select tenant, email_id, run_at from job j
    where j.tenant = t.tenant and j.run_at <= now() and j.email_id <> all($4::uuid[])
    order by j.run_at limit least($2::bigint, greatest($6::bigint - held.mails, 0))
  ) d
), due as (
  select j.tenant, j.email_id, j.worker from job j
  join (select * from candidates order by turn, run_at limit 2 * $2) c on c.tenant = j.tenant and c.email_id = j.email_id
  where j.run_at <= now() order by c.turn, c.run_at limit $2 for update of j skip locked
), claimed as (
  update job j set run_at = now() + make_interval(secs => $3::float8 / 1000), worker = $1, attempt_no = j.attempt_no + 1
  from due where j.tenant = due.tenant and j.email_id = due.email_id
  returning j.tenant, j.email_id, j.attempt_no, due.worker is not null as taken_over, j.data_sent_at, j.data_sent_to, j.data_sent_for
)
select w.tenant as "walkedTo", e.tenant, e.id, c.attempt_no as "attemptNo", c.taken_over as "takenOver", c.data_sent_at as "dataSentAt",
  c.data_sent_to as "dataSentTo", c.data_sent_for as "dataSentFor", e.created_at as "createdAt", e.from_mailbox as "from",
  e.from_address as "fromAddress", e.to_mailboxes as "to", e.cc_mailboxes as "cc", e.reply_to as "replyTo", e.subject, e.body,
  e.html_body as "htmlBody", e.headers, e.send_at as "sendAt", e.expires_at as "expiresAt", e.on_uncertain as "onUncertain",
  e.attachment_count as "attachmentCount",
  (select coalesce(json_agg(json_build_object('position', r.position, 'address', r.address, 'kind', r.kind, 'attempts', r.attempts,
      'status', r.status) order by r.position), '[]')
    from recipient r where r.tenant = e.tenant and r.email_id = e.id and r.status in ('queued', 'deferred', 'uncertain')) as recipients
from (select max(tenant) filter (where n = ${TENANTS_A_CLAIM}) as tenant from tenants) w
left join claimed c on true left join email e on e.tenant = c.tenant and e.id = c.email_id`;

/**
 * $1 worker, $2 marks. Committed before the final dot may leave; holds the lease on as well. Gives those that the
 * worker still holds: the others may not be sent.
 */
export const MARK = `
update job j set data_sent_at = now(), data_sent_to = m.relay, data_sent_for = m.positions,
  run_at = now() + make_interval(secs => $3::float8 / 1000)
from json_to_recordset($2::json) as m(i integer, tenant text, "emailId" uuid, "attemptNo" integer, relay text, positions integer[])
where j.tenant = m.tenant and j.email_id = m."emailId" and j.attempt_no = m."attemptNo" and j.worker = $1
returning m.i`;

/** $1 worker, $2 outcomes. The job's attempt number is the fence: an outcome told too late finds no row. */
export const RECORD = `
with told as (
  select * from json_to_recordset($2::json) as t(
    i integer, tenant text, "emailId" uuid, "attemptNo" integer, attempt json, recipients json, "retryInMs" float8)
), done as (
  delete from job j using told t
  where j.tenant = t.tenant and j.email_id = t."emailId" and j.attempt_no = t."attemptNo" and j.worker = $1 and t."retryInMs" is null
  returning t.i, t.tenant
), again as (
  update job j set worker = null, run_at = now() + make_interval(secs => t."retryInMs" / 1000),
    data_sent_at = null, data_sent_to = null, data_sent_for = null
  from told t
  where j.tenant = t.tenant and j.email_id = t."emailId" and j.attempt_no = t."attemptNo" and j.worker = $1 and t."retryInMs" is not null
  returning t.i
), held as (
  select t.* from told t where t.i in (select i from done union all select i from again)
), attempts as (
  insert into attempt (tenant, email_id, attempt_no, started_at, duration_ms, relay, outcome, reply, enhanced_code, tls_version)
  select tenant, "emailId", "attemptNo", (attempt->>'startedAt')::timestamptz, (attempt->>'durationMs')::integer, attempt->>'relay',
    attempt->>'outcome', attempt->>'reply', attempt->>'enhancedCode', attempt->>'tlsVersion'
  from held where attempt is not null
), recipients as (
  update recipient r set status = x.next, attempts = r.attempts + n.attempted, reason = n.reason, updated_at = now(),
    last_reply = case when n."lastReply" = '' then r.last_reply else n."lastReply" end,
    enhanced_code = case when n."lastReply" = '' then r.enhanced_code else n."enhancedCode" end
  from (
    select h.i, h.tenant, h."emailId", (h.attempt is not null)::integer as attempted, n.*
    from held h, json_to_recordset(h.recipients) as n(position integer, address text, event text, "lastReply" text, "enhancedCode" text, reason text)
  ) n join ${TRANSITIONS} on x.event = n.event
  where r.tenant = n.tenant and r.email_id = n."emailId" and r.position = n.position and r.status = x.state
  returning n.i, r.tenant, r.email_id, r.position, r.address, r.status, coalesce(nullif(n."lastReply", ''), n.reason) as detail
), counters as (
  update tenant_counter t set last_event = t.last_event + n.events, queued = t.queued - n.done
  from (
    select tenant, sum(events)::bigint as events, sum(done)::bigint as done from (
      select tenant, count(*) as events, 0 as done from recipients group by tenant
      union all select tenant, 0, count(*) from done group by tenant
    ) each_tenant group by tenant
  ) n
  where t.tenant = n.tenant returning t.tenant, t.last_event
), events as (
  insert into event (tenant, cursor, id, type, email_id, recipient, status, detail, occurred_at)
  select r.tenant, c.last_event + 1 - row_number() over (partition by r.tenant order by r.i desc, r.position desc), gen_random_uuid(),
    'email.' || r.status, r.email_id, r.address, r.status, r.detail, now()
  from recipients r join counters c using (tenant)
)
select i from held`;
