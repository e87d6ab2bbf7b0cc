import {
  type Attachment,
  type CancelEmailResponse,
  type Email,
  type EmailOptions,
  type EmailSummary,
  type GetEmailResponse,
  type ListEmailsResponse,
  type SubmitEmailResponse,
  UncertainPolicy,
} from '@sky-genesis/proto';
import { InvalidArgumentError } from '@sky-genesis/grpc';
import { formatFileId } from '../files/file-id';
import { formatEmailId } from './email-id';
import { emailStatus, type RecipientStatus } from './email-status';
import type { StoredEmail, StoredSummary } from './email.store';
import type { AcceptedEmail, AttachmentDraft, EmailDraft } from './new-email';

/** Between the contract's messages and this app's own words; nothing is decided here. */

export function toDraft(email: Email | null | undefined, options: EmailOptions | null | undefined): EmailDraft {
  if (!email) throw new InvalidArgumentError([{ field: 'email', description: 'is required' }]);
  return {
    from: email.from,
    to: email.to,
    cc: options?.cc ?? [],
    bcc: options?.bcc ?? [],
    replyTo: options?.replyTo ?? [],
    subject: email.subject,
    body: email.body,
    htmlBody: options?.htmlBody ?? '',
    headers: options?.headers ?? {},
    metadata: options?.metadata ?? {},
    attachments: email.attachments.map(toAttachmentDraft),
    sendAt: options?.sendAt ?? '0',
    expiresAt: options?.expiresAt ?? '0',
    onUncertain: fromPolicy(options?.onUncertain ?? UncertainPolicy.UNCERTAIN_POLICY_UNSPECIFIED),
  };
}

const toAttachmentDraft = ({ filename, contentType, contentId, content, fileId }: Attachment): AttachmentDraft => ({
  filename,
  contentType,
  contentId,
  content,
  fileId,
});

/** A number that the contract does not name comes as it is, and is refused by the rule. */
const fromPolicy = (policy: UncertainPolicy): string => {
  switch (policy) {
    case UncertainPolicy.UNCERTAIN_POLICY_UNSPECIFIED:
      return '';
    case UncertainPolicy.UNCERTAIN_POLICY_HOLD:
      return 'hold';
    case UncertainPolicy.UNCERTAIN_POLICY_RESEND:
      return 'resend';
    default:
      return String(policy);
  }
};

const toPolicy = (policy: 'hold' | 'resend' | null): UncertainPolicy => {
  if (policy === null) return UncertainPolicy.UNCERTAIN_POLICY_UNSPECIFIED;
  return policy === 'hold' ? UncertainPolicy.UNCERTAIN_POLICY_HOLD : UncertainPolicy.UNCERTAIN_POLICY_RESEND;
};

export const toSubmitEmailResponse = ({ id, status, acceptedAt, replayed }: AcceptedEmail): SubmitEmailResponse => ({
  messageId: formatEmailId(id),
  status,
  timestamp: String(Math.floor(acceptedAt.getTime() / 1000)),
  replayed,
});

export const toCancelEmailResponse = (status: RecipientStatus): CancelEmailResponse => ({ status });

export function toGetEmailResponse(stored: StoredEmail): GetEmailResponse {
  return {
    email: {
      id: formatEmailId(stored.id),
      from: stored.from,
      to: stored.to,
      subject: stored.subject,
      body: stored.body,
      timestamp: String(stored.createdAt),
      attachments: stored.attachments.map(({ filename, contentType, contentId, fileId, size }) => ({
        filename,
        contentType,
        content: Buffer.alloc(0),
        fileId: fileId === null ? '' : formatFileId(fileId),
        contentId,
        size: String(size),
      })),
    },
    options: {
      cc: stored.cc,
      bcc: stored.bcc,
      replyTo: stored.replyTo,
      htmlBody: stored.htmlBody,
      headers: stored.headers,
      sendAt: String(stored.sendAt ?? 0),
      metadata: stored.metadata,
      onUncertain: toPolicy(stored.onUncertain),
      expiresAt: String(stored.expiresAt),
    },
    status: emailStatus(stored.recipients.map(({ status }) => status)),
    recipients: stored.recipients.map((recipient) => ({
      address: recipient.address,
      kind: recipient.kind,
      status: recipient.status,
      attempts: recipient.attempts,
      lastReply: recipient.lastReply,
      nextAttemptAt: String(recipient.nextAttemptAt ?? 0),
      updatedAt: String(recipient.updatedAt),
      enhancedCode: recipient.enhancedCode,
      reason: recipient.reason,
    })),
    attempts: stored.attempts.map((attempt) => ({
      startedAtMs: String(attempt.startedAtMs),
      durationMs: String(attempt.durationMs),
      relay: attempt.relay,
      outcome: attempt.outcome,
      reply: attempt.reply,
      tlsVersion: attempt.tlsVersion,
    })),
  };
}

export const toListEmailsResponse = (emails: readonly StoredSummary[], nextPageToken: string): ListEmailsResponse => ({
  emails: emails.map(toSummary),
  nextPageToken,
});

const toSummary = (stored: StoredSummary): EmailSummary => ({
  id: formatEmailId(stored.id),
  from: stored.from,
  to: stored.to,
  subject: stored.subject,
  snippet: stored.snippet.replace(/\s+/g, ' ').trim(),
  timestamp: String(stored.createdAt),
  attachmentCount: stored.attachmentCount,
  status: stored.status,
});
