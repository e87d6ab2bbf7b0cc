/** $1 worker, $2 limit, $3 lease in ms, $4 ids that the worker has under way. `worker` of a job that is due again: one that died. */
export const CLAIM = `
with due as (
  select tenant, email_id, worker from job where run_at <= now() and email_id <> all($4::uuid[]) order by run_at limit $2 for update skip locked
), claimed as (
  update job j set run_at = now() + make_interval(secs => $3::float8 / 1000), worker = $1, attempt_no = j.attempt_no + 1
  from due where j.tenant = due.tenant and j.email_id = due.email_id
  returning j.tenant, j.email_id, j.attempt_no, due.worker is not null as taken_over
)
select e.tenant, e.id, c.attempt_no as "attemptNo", c.taken_over as "takenOver", e.created_at as "createdAt", e.from_mailbox as "from",
  e.from_address as "fromAddress", e.to_mailboxes as "to", e.cc_mailboxes as "cc", e.reply_to as "replyTo", e.subject, e.body,
  e.html_body as "htmlBody", e.headers, e.send_at as "sendAt", e.expires_at as "expiresAt", e.on_uncertain as "onUncertain",
  e.attachment_count as "attachmentCount",
  (select json_agg(json_build_object('position', r.position, 'address', r.address, 'kind', r.kind, 'attempts', r.attempts) order by r.position)
    from recipient r where r.tenant = e.tenant and r.email_id = e.id and r.status in ('queued', 'deferred')) as recipients
from claimed c join email e on e.tenant = c.tenant and e.id = c.email_id`;

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
  update job j set worker = null, run_at = now() + make_interval(secs => t."retryInMs" / 1000) from told t
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
  update recipient r set status = n.status, attempts = r.attempts + n.attempted, reason = n.reason, updated_at = now(),
    last_reply = case when n."lastReply" = '' then r.last_reply else n."lastReply" end,
    enhanced_code = case when n."lastReply" = '' then r.enhanced_code else n."enhancedCode" end
  from (
    select h.i, h.tenant, h."emailId", (h.attempt is not null)::integer as attempted, n.*
    from held h, json_to_recordset(h.recipients) as n(position integer, address text, status text, "lastReply" text, "enhancedCode" text, reason text)
  ) n
  where r.tenant = n.tenant and r.email_id = n."emailId" and r.position = n.position and r.status in ('queued', 'deferred')
  returning n.i, r.tenant, r.email_id, r.position, r.address, r.status, r.last_reply
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
    'email.' || r.status, r.email_id, r.address, r.status, r.last_reply, now()
  from recipients r join counters c using (tenant)
)
select i from held`;
