import {
  type Attachment,
  type Attempt,
  type CancelEmailResponse,
  type EmailOptions,
  type EmailSummary,
  type GetEmailResponse,
  type ListEmailsRequest,
  type ListEmailsResponse,
  type Recipient,
  type ResolveEmailRequest,
  type ResolveEmailResponse,
  type SubmitEmailRequest,
  type SubmitEmailResponse,
  UncertainPolicy,
} from '@sky-genesis/proto';
import type { z } from 'zod';
import type { canceled, email, emailList, ListEmailsQuery, ResolveEmailBody, resolved, SendEmailBody, submitted } from './mail.schema';

type EmailJson = z.output<typeof email>;
type RecipientJson = EmailJson['recipients'][number];
type AttemptJson = EmailJson['attempts'][number];
type AttachmentJson = EmailJson['attachments'][number];

const policyOfWord = { hold: UncertainPolicy.UNCERTAIN_POLICY_HOLD, resend: UncertainPolicy.UNCERTAIN_POLICY_RESEND } as const;

export function toSubmitEmailRequest(body: SendEmailBody, idempotencyKey: string): SubmitEmailRequest {
  return {
    email: {
      id: '',
      from: body.from,
      to: body.to,
      subject: body.subject,
      body: body.body,
      timestamp: '0',
      attachments: body.attachments.map(toAttachment),
    },
    options: {
      cc: body.cc,
      bcc: body.bcc,
      replyTo: body.reply_to,
      htmlBody: body.html_body,
      headers: body.headers,
      sendAt: String(body.send_at),
      metadata: body.metadata,
      onUncertain: body.on_uncertain ? policyOfWord[body.on_uncertain] : UncertainPolicy.UNCERTAIN_POLICY_UNSPECIFIED,
      expiresAt: String(body.expires_at),
    },
    idempotencyKey,
    requestRef: '',
  };
}

const toAttachment = (given: SendEmailBody['attachments'][number]): Attachment => ({
  filename: given.filename,
  contentType: given.content_type,
  content: given.content ?? NO_BYTES,
  fileId: given.file_id,
  contentId: given.content_id,
  size: '0',
});

const NO_BYTES = new Uint8Array();

export const fromSubmitEmailResponse = ({ messageId, status, timestamp }: SubmitEmailResponse): z.output<typeof submitted> => ({
  message_id: messageId,
  status,
  timestamp: Number(timestamp),
});

export function fromGetEmailResponse({ email, options, status, recipients, attempts }: GetEmailResponse): EmailJson {
  return {
    id: email?.id ?? '',
    from: email?.from ?? '',
    to: email?.to ?? [],
    subject: email?.subject ?? '',
    body: email?.body ?? '',
    timestamp: Number(email?.timestamp ?? 0),
    ...(options && fromOptions(options)),
    attachments: (email?.attachments ?? []).map(fromAttachment),
    status,
    recipients: recipients.map(fromRecipient),
    attempts: attempts.map(fromAttempt),
  };
}

/** Proto3 knows no difference between what is not set and what is empty: both are left out. */
const fromOptions = (options: EmailOptions): Partial<EmailJson> => ({
  ...(options.cc.length && { cc: options.cc }),
  ...(options.bcc.length && { bcc: options.bcc }),
  ...(options.replyTo.length && { reply_to: options.replyTo }),
  ...(options.htmlBody && { html_body: options.htmlBody }),
  ...(Object.keys(options.headers).length && { headers: options.headers }),
  ...(Number(options.sendAt) && { send_at: Number(options.sendAt) }),
  ...(Object.keys(options.metadata).length && { metadata: options.metadata }),
  ...(options.onUncertain !== UncertainPolicy.UNCERTAIN_POLICY_UNSPECIFIED && { on_uncertain: lastWord(options.onUncertain) }),
  ...(Number(options.expiresAt) && { expires_at: Number(options.expiresAt) }),
});

/** `UNCERTAIN_POLICY_HOLD` is `hold` in JSON. */
const lastWord = (name: string): string => name.slice(name.lastIndexOf('_') + 1).toLowerCase();

const fromAttachment = ({ filename, contentType, fileId, contentId, size }: Attachment): AttachmentJson => ({
  filename,
  content_type: contentType,
  ...(fileId && { file_id: fileId }),
  ...(contentId && { content_id: contentId }),
  size: Number(size),
});

const fromRecipient = (recipient: Recipient): RecipientJson => ({
  address: recipient.address,
  kind: recipient.kind,
  status: recipient.status,
  attempts: recipient.attempts,
  ...(recipient.lastReply && { last_reply: recipient.lastReply }),
  ...(Number(recipient.nextAttemptAt) && { next_attempt_at: Number(recipient.nextAttemptAt) }),
  updated_at: Number(recipient.updatedAt),
  ...(recipient.enhancedCode && { enhanced_code: recipient.enhancedCode }),
  ...(recipient.reason && { reason: recipient.reason }),
});

const fromAttempt = ({ startedAtMs, durationMs, relay, outcome, reply, tlsVersion }: Attempt): AttemptJson => ({
  started_at_ms: Number(startedAtMs),
  duration_ms: Number(durationMs),
  relay,
  outcome,
  ...(reply && { reply }),
  ...(tlsVersion && { tls_version: tlsVersion }),
});

export const toListEmailsRequest = (query: ListEmailsQuery): ListEmailsRequest => ({
  pageSize: query.page_size ?? 0,
  pageToken: query.page_token ?? '',
  status: query.status ?? '',
  from: query.from ?? '',
  to: query.to ?? '',
  createdAfter: String(query.created_after ?? 0),
  createdBefore: String(query.created_before ?? 0),
  subject: query.subject ?? '',
});

export const fromListEmailsResponse = ({ emails, nextPageToken }: ListEmailsResponse): z.output<typeof emailList> => ({
  emails: emails.map(fromSummary),
  ...(nextPageToken && { next_page_token: nextPageToken }),
});

const fromSummary = (summary: EmailSummary): z.output<typeof emailList>['emails'][number] => ({
  id: summary.id,
  from: summary.from,
  to: summary.to,
  subject: summary.subject,
  snippet: summary.snippet,
  timestamp: Number(summary.timestamp),
  attachment_count: summary.attachmentCount,
  status: summary.status,
});

export const fromCancelEmailResponse = ({ status }: CancelEmailResponse): z.output<typeof canceled> => ({ status });

export const toResolveEmailRequest = (id: string, { resolution, recipient, note }: ResolveEmailBody): ResolveEmailRequest => ({
  id,
  resolution,
  recipient,
  note,
});

export const fromResolveEmailResponse = ({ status }: ResolveEmailResponse): z.output<typeof resolved> => ({ status });
