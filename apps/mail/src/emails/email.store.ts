import { Injectable } from '@nestjs/common';
import { DatabaseClient } from '@sky-genesis/database';
import { recipientStatuses, type RecipientStatus } from './email-status';
import { TRANSITIONS } from './recipient.statements';

export interface StoredRecipient {
  address: string;
  kind: string;
  status: RecipientStatus;
  attempts: number;
  lastReply: string;
  enhancedCode: string;
  reason: string;
  nextAttemptAt: number | null;
  updatedAt: number;
}

export interface StoredAttempt {
  startedAtMs: number;
  durationMs: number;
  relay: string;
  outcome: string;
  reply: string;
  tlsVersion: string;
}

/** Times are unix seconds unless a name ends in Ms, as in the contract. */
export interface StoredEmail {
  id: string;
  createdAt: number;
  from: string;
  to: string[];
  cc: string[];
  bcc: string[];
  replyTo: string[];
  subject: string;
  body: string;
  htmlBody: string;
  headers: Record<string, string>;
  metadata: Record<string, string>;
  sendAt: number | null;
  expiresAt: number;
  onUncertain: 'hold' | 'resend' | null;
  attachments: { filename: string; contentType: string; contentId: string; fileId: string | null; size: number }[];
  recipients: StoredRecipient[];
  attempts: StoredAttempt[];
}

export interface StoredSummary {
  id: string;
  createdAt: number;
  from: string;
  to: string[];
  subject: string;
  snippet: string;
  attachmentCount: number;
  status: RecipientStatus;
}

export interface EmailFilter {
  status?: RecipientStatus | undefined;
  fromAddress?: string | undefined;
  toAddress?: string | undefined;
  createdAfter?: Date | undefined;
  createdBefore?: Date | undefined;
  subjectWords?: string | undefined;
}

const MAX_ATTEMPTS_SHOWN = 50;
const SNIPPET_LENGTH = 200;
const PENDING = `r.status in ('queued', 'deferred')`;
/** How a stored recipient is seen, given its email `e` and its job `j` (if there is one). */
const SEEN_STATUS = `case when ${PENDING} and j.worker is not null then 'sending'
  when r.status = 'queued' and e.send_at > now() then 'scheduled' else r.status end`;
/** An uncertain one waits for another attempt where doubts are resent, by the mail's wish or by the setting, which is $3. */
const NEXT_ATTEMPT = `case when (${PENDING} or r.status = 'uncertain' and coalesce(e.on_uncertain, $3) = 'resend') and j.worker is null
  then floor(extract(epoch from j.run_at))::bigint end`;
const RANKS = `array[${recipientStatuses.map((status) => `'${status}'`).join(', ')}]`;

@Injectable()
export class EmailStore {
  /** @param settings `onUncertain`: for mails that do not say */
  constructor(
    private readonly database: DatabaseClient,
    private readonly settings: { onUncertain: 'hold' | 'resend' },
  ) {}

  /** The tenant's email, or undefined: also for an id that another tenant has. */
  async find(tenant: string, id: string): Promise<StoredEmail | undefined> {
    const rows = await this.database.read<{ email: StoredEmail }>({
      name: 'email-find',
      text: FIND,
      values: [tenant, id, this.settings.onUncertain],
    });
    return rows[0]?.email;
  }

  /** Newest first, those before an id where one is given. */
  async list(tenant: string, filter: EmailFilter, beforeId: string | undefined, limit: number): Promise<StoredSummary[]> {
    const values: unknown[] = [tenant, limit];
    const parameter = (value: unknown) => `$${values.push(value)}`;
    const conditions = ['e.tenant = $1'];
    const where = (value: unknown, condition: (parameter: string) => string) => {
      if (value !== undefined) conditions.push(condition(parameter(value)));
    };
    where(beforeId, (p) => `e.id < ${p}::uuid`);
    where(filter.fromAddress, (p) => `e.from_address = ${p}`);
    where(filter.toAddress, (p) => `exists (select from recipient r where r.tenant = e.tenant and r.email_id = e.id and r.address = ${p})`);
    where(filter.createdAfter, (p) => `e.created_at > ${p}::timestamptz`);
    where(filter.createdBefore, (p) => `e.created_at < ${p}::timestamptz`);
    where(filter.subjectWords, (p) => `to_tsvector('simple', e.subject) @@ plainto_tsquery('simple', ${p})`);
    where(filter.status, (p) => `s.status = ${p}`);
    const text = `
      select e.id, floor(extract(epoch from e.created_at))::bigint::float8 as "createdAt", e.from_mailbox as "from", e.to_mailboxes as "to", e.subject,
        left(e.body, ${SNIPPET_LENGTH}) as snippet, e.attachment_count as "attachmentCount", s.status
      from email e left join job j on j.tenant = e.tenant and j.email_id = e.id
      cross join lateral (
        select (${RANKS})[min(array_position(${RANKS}, ${SEEN_STATUS}))] as status
        from recipient r where r.tenant = e.tenant and r.email_id = e.id
      ) s
      where ${conditions.join(' and ')} order by e.id desc limit $2`;
    return this.database.read<StoredSummary>({ text, values });
  }

  /**
   * Cancels what no worker holds, and stops the resending of what is uncertain. Gives whether there was anything to
   * stop.
   */
  async cancel(tenant: string, id: string): Promise<boolean> {
    const { rowCount } = await this.database.change({ name: 'email-cancel', text: CANCEL, values: [tenant, id] });
    return rowCount === 1;
  }

  /** Forgets idempotency keys that are past their time, a bounded number; gives how many. */
  async forgetOldKeys(hours: number, limit: number): Promise<number> {
    const { rowCount } = await this.database.run({
      text: `delete from idempotency_key where (tenant, key) in (
        select tenant, key from idempotency_key where accepted_at < now() - make_interval(hours => $1) order by accepted_at limit $2)`,
      values: [hours, limit],
    });
    return rowCount ?? 0;
  }
}

const FIND = `
select json_build_object(
  'id', e.id, 'createdAt', floor(extract(epoch from e.created_at))::bigint, 'from', e.from_mailbox, 'to', e.to_mailboxes, 'cc', e.cc_mailboxes,
  'bcc', e.bcc_mailboxes, 'replyTo', e.reply_to, 'subject', e.subject, 'body', e.body, 'htmlBody', e.html_body, 'headers', e.headers,
  'metadata', e.metadata, 'sendAt', floor(extract(epoch from e.send_at))::bigint, 'expiresAt', floor(extract(epoch from e.expires_at))::bigint,
  'onUncertain', e.on_uncertain,
  'attachments', (select coalesce(json_agg(json_build_object('filename', a.filename, 'contentType', a.content_type,
      'contentId', a.content_id, 'fileId', a.file_id, 'size', coalesce(a.size, octet_length(a.content))) order by a.position), '[]')
    from attachment a where a.tenant = e.tenant and a.email_id = e.id),
  'recipients', (select coalesce(json_agg(json_build_object('address', r.address, 'kind', r.kind, 'status', ${SEEN_STATUS},
      'attempts', r.attempts, 'lastReply', r.last_reply, 'enhancedCode', r.enhanced_code, 'reason', r.reason,
      'nextAttemptAt', ${NEXT_ATTEMPT}, 'updatedAt', floor(extract(epoch from r.updated_at))::bigint) order by r.position), '[]')
    from recipient r where r.tenant = e.tenant and r.email_id = e.id),
  'attempts', (select coalesce(json_agg(json_build_object('startedAtMs', (extract(epoch from t.started_at) * 1000)::bigint,
      'durationMs', t.duration_ms, 'relay', t.relay, 'outcome', t.outcome, 'reply', t.reply, 'tlsVersion', t.tls_version)
      order by t.attempt_no desc), '[]')
    from (select * from attempt t where t.tenant = e.tenant and t.email_id = e.id order by t.attempt_no desc limit ${MAX_ATTEMPTS_SHOWN}) t)
) as email
from email e left join job j on j.tenant = e.tenant and j.email_id = e.id
where e.tenant = $1 and e.id = $2`;

/** A mail that a worker holds may be at the relay already: deleting the job fails on it, and on one without a job. */
const CANCEL = `
with jobs as (
  delete from job where tenant = $1 and email_id = $2 and worker is null returning tenant, email_id
), canceled as (
  update recipient r set status = x.next, updated_at = now() from jobs, ${TRANSITIONS}
  where r.tenant = jobs.tenant and r.email_id = jobs.email_id and x.event = 'canceled' and r.status = x.state
  returning r.tenant, r.email_id, r.address, r.status, r.position
), counters as (
  update tenant_counter t set last_event = t.last_event + (select count(*) from canceled), queued = t.queued - 1
  from jobs where t.tenant = jobs.tenant returning t.tenant, t.last_event
), events as (
  insert into event (tenant, cursor, id, type, email_id, recipient, status, detail, occurred_at)
  select x.tenant, c.last_event + 1 - row_number() over (order by x.position desc), gen_random_uuid(), 'email.' || x.status, x.email_id,
    x.address, x.status, '', now()
  from canceled x join counters c using (tenant)
)
select from jobs`;
