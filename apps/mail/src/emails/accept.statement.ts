import type { Statement } from '@sky-genesis/database';
import { initialStatus, type NewAttachment, type NewEmail } from './new-email';

/** How long an idempotency key is remembered. */
export const IDEMPOTENCY_HOURS = 24;

const seconds = (date: Date): number => date.getTime() / 1000;

/**
 * A batch of mails in one statement, and so in one transaction: idempotency records, mails, recipients, attachments,
 * jobs, the tenants' counters and events. Gives the places in the batch that were accepted, and those whose file is gone, a
 * row for each such file; the others had their key taken or their tenant's queue full.
 *
 * A mail is accepted only with its files locked as they are: who deletes one waits for the mail, and finds it, or came first.
 *
 * Events are numbered by the counter row, which each transaction holds until it commits: numbers are dense and appear
 * in order. Counter rows and keys are taken in sorted order, so that two batches cannot wait for each other.
 */
const TEXT = `
with given as (
  select *, row_number() over (partition by tenant order by i) as nth
  from json_to_recordset($1::json) as g(
    i integer, tenant text, id uuid, created_at float8, from_mailbox text, from_address text, to_mailboxes text[], cc_mailboxes text[],
    bcc_mailboxes text[], reply_to text[], subject text, body text, html_body text, headers json, metadata json, send_at float8,
    expires_at float8, on_uncertain text, attachments json, files uuid[], recipients json, status text, key text, fingerprint text)
), gone as (
  select n.i, n.file_id from (select i, tenant, unnest(files) as file_id from given) n
  left join lateral (select f.id from file f where f.tenant = n.tenant and f.id = n.file_id for key share) f on true
  where f.id is null
), room as (
  select g.* from given g left join tenant_counter t using (tenant)
  where coalesce(t.queued, 0) + g.nth <= $2 and g.i not in (select i from gone)
), keyed as (
  insert into idempotency_key as k (tenant, key, email_id, fingerprint, status, accepted_at)
  select tenant, key, id, decode(fingerprint, 'hex'), status, to_timestamp(created_at) from room where key is not null order by tenant, key
  on conflict (tenant, key) do update
    set email_id = excluded.email_id, fingerprint = excluded.fingerprint, status = excluded.status, accepted_at = excluded.accepted_at
    where k.accepted_at < now() - interval '${IDEMPOTENCY_HOURS} hours'
  returning k.tenant, k.email_id
), fresh as (
  select r.* from room r left join keyed k on k.tenant = r.tenant and k.email_id = r.id where r.key is null or k.email_id is not null
), emails as (
  insert into email (tenant, id, created_at, from_mailbox, from_address, to_mailboxes, cc_mailboxes, bcc_mailboxes, reply_to, subject,
    body, html_body, headers, metadata, send_at, expires_at, on_uncertain, attachment_count)
  select tenant, id, to_timestamp(created_at), from_mailbox, from_address, to_mailboxes, cc_mailboxes, bcc_mailboxes, reply_to, subject,
    body, html_body, headers, metadata, to_timestamp(send_at), to_timestamp(expires_at), on_uncertain, json_array_length(attachments)
  from fresh
), recipients as (
  insert into recipient (tenant, email_id, position, address, kind, status, updated_at)
  select f.tenant, f.id, r.ordinality - 1, r.value->>'address', r.value->>'kind', 'queued', to_timestamp(f.created_at)
  from fresh f, json_array_elements(f.recipients) with ordinality as r
), attachments as (
  insert into attachment (tenant, email_id, position, filename, content_type, content_id, content, file_id, sha256, size)
  select f.tenant, f.id, a.ordinality - 1, a.value->>'filename', a.value->>'contentType', a.value->>'contentId', decode(a.value->>'content', 'base64'),
    (a.value->>'fileId')::uuid, decode(a.value->>'sha256', 'hex'), (a.value->>'size')::bigint
  from fresh f, json_array_elements(f.attachments) with ordinality as a
), jobs as (
  insert into job (tenant, email_id, run_at)
  select tenant, id, greatest(now(), to_timestamp(coalesce(send_at, 0))) from fresh
), counters as (
  insert into tenant_counter as t (tenant, last_event, queued)
  select tenant, count(*), count(*) from fresh group by tenant order by tenant
  on conflict (tenant) do update set last_event = t.last_event + excluded.last_event, queued = t.queued + excluded.queued
  returning t.tenant, t.last_event
), events as (
  insert into event (tenant, cursor, id, type, email_id, recipient, status, detail, occurred_at)
  select f.tenant, c.last_event + 1 - row_number() over (partition by f.tenant order by f.i desc), gen_random_uuid(), 'email.' || f.status,
    f.id, '', f.status, '', to_timestamp(f.created_at)
  from fresh f join counters c using (tenant)
)
select i, null::uuid as gone from fresh union all select i, file_id from gone`;

/** @param maxQueued undelivered mails of one tenant, at most */
export function acceptStatement(emails: readonly NewEmail[], maxQueued: number): Statement {
  return { name: 'accept', text: TEXT, values: [JSON.stringify(emails.map(toRow)), maxQueued] };
}

function toRow(email: NewEmail, i: number): Record<string, unknown> {
  return {
    i,
    tenant: email.tenant,
    id: email.id,
    created_at: seconds(email.createdAt),
    from_mailbox: email.from,
    from_address: email.fromAddress,
    to_mailboxes: email.to,
    cc_mailboxes: email.cc,
    bcc_mailboxes: email.bcc,
    reply_to: email.replyTo,
    subject: email.subject,
    body: email.body,
    html_body: email.htmlBody,
    headers: email.headers,
    metadata: email.metadata,
    send_at: email.sendAt && seconds(email.sendAt),
    expires_at: seconds(email.expiresAt),
    on_uncertain: email.onUncertain,
    attachments: email.attachments.map(({ content, ...attachment }) => ({ ...attachment, ...contentColumns(content) })),
    files: email.attachments.flatMap(({ content }) => (content instanceof Uint8Array ? [] : content.id)),
    recipients: email.recipients,
    status: initialStatus(email),
    key: email.idempotency?.key,
    fingerprint: email.idempotency?.fingerprint.toString('hex'),
  };
}

const contentColumns = (content: NewAttachment['content']): Record<string, unknown> =>
  content instanceof Uint8Array
    ? { content: Buffer.from(content).toString('base64') }
    : { fileId: content.id, sha256: content.sha256.toString('hex'), size: content.size };

/** What became of keys that were taken, and of mails whose fate is not known: by key, and by id. */
export function earlierStatement(emails: readonly NewEmail[]): Statement {
  return {
    name: 'accept-earlier',
    text: `
      select g.i, k.email_id, k.fingerprint, k.status, k.accepted_at
      from unnest($1::integer[], $2::text[], $3::text[]) as g(i, tenant, key) join idempotency_key k using (tenant, key)
      union all
      select g.i, e.id, null, null, null
      from unnest($1::integer[], $2::text[], $4::uuid[]) as g(i, tenant, id) join email e using (tenant, id)`,
    values: [
      emails.map((_, i) => i),
      emails.map(({ tenant }) => tenant),
      emails.map(({ idempotency }) => idempotency?.key ?? null),
      emails.map(({ id }) => id),
    ],
  };
}
