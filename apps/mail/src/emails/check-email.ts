import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import { checkAttachments, type NamedFiles } from './check-attachments';
import {
  checkHeaders,
  checkLine,
  checkMailbox,
  checkMailboxes,
  checkMetadata,
  checkTime,
  checkWellFormed,
  Violations,
} from './check-fields';
import { type EmailLimits, MAX_EXPIRY_SECONDS, MAX_IDEMPOTENCY_KEY, MAX_REPLY_TO, MAX_SCHEDULE_SECONDS, MAX_SUBJECT } from './email-limits';
import { isAllowedSender, type Mailbox } from './mailbox';
import type { EmailDraft, NewEmail, RecipientKind } from './new-email';

export type CheckedEmail = Omit<NewEmail, 'id' | 'tenant' | 'createdAt' | 'idempotency'>;

/**
 * Checks a draft against every rule, and fills in what it leaves to the server.
 * @param named what the file ids of its attachments name
 * @throws InvalidArgumentError naming every field that is wrong
 * @throws RuleError SENDER_NOT_ALLOWED
 */
export function checkEmail(draft: EmailDraft, senders: readonly string[], limits: EmailLimits, now: Date, named: NamedFiles): CheckedEmail {
  const violations = new Violations();
  const from = checkFrom(draft.from, senders, violations);
  const recipients = checkRecipients(draft, limits, violations);
  if (draft.replyTo.length > MAX_REPLY_TO) violations.add('options.reply_to', `must have at most ${MAX_REPLY_TO} addresses`);
  else checkMailboxes('options.reply_to', draft.replyTo, violations);
  checkText(draft, limits, violations);
  checkHeaders('options.headers', draft.headers, limits, violations);
  checkMetadata('options.metadata', draft.metadata, limits, violations);
  const attachments = checkAttachments(draft.attachments, named, limits, violations);
  const times = checkTimes(draft, limits, now, violations);
  const onUncertain = checkPolicy(draft.onUncertain, violations);
  if (violations.found.length > 0 || !from) throw new InvalidArgumentError(violations.found);
  if (!isAllowedSender(from.mailbox.address, senders)) throw senderNotAllowed(from.mailbox.address);
  return {
    from: from.text,
    fromAddress: from.mailbox.address,
    to: draft.to,
    cc: draft.cc,
    bcc: draft.bcc,
    replyTo: draft.replyTo,
    subject: draft.subject,
    body: draft.body,
    htmlBody: draft.htmlBody,
    headers: draft.headers,
    metadata: draft.metadata,
    attachments,
    recipients,
    ...times,
    onUncertain,
  };
}

/** @throws InvalidArgumentError */
export function checkIdempotencyKey(key: string): void {
  if (key.length > MAX_IDEMPOTENCY_KEY || !/^[\x20-\x7e]*$/.test(key)) {
    throw new InvalidArgumentError([
      { field: 'idempotency_key', description: `must be 1 to ${MAX_IDEMPOTENCY_KEY} printable ASCII characters` },
    ]);
  }
}

function checkFrom(given: string, senders: readonly string[], violations: Violations): { text: string; mailbox: Mailbox } | undefined {
  const text = given || senders.find((sender) => !sender.startsWith('*')) || '';
  if (text === '') {
    violations.add('email.from', 'is required: the token names no sender address to take instead');
    return undefined;
  }
  const mailbox = checkMailbox('email.from', text, violations);
  return mailbox && { text, mailbox };
}

function checkRecipients(draft: EmailDraft, limits: EmailLimits, violations: Violations): CheckedEmail['recipients'] {
  const count = draft.to.length + draft.cc.length + draft.bcc.length;
  if (draft.to.length === 0) violations.add('email.to', 'must have at least one address');
  if (count > limits.recipients) {
    violations.add('email.to', `must have at most ${limits.recipients} addresses, cc and bcc counted in`);
    return [];
  }
  const kinds = new Map<string, RecipientKind>();
  const collect = (kind: RecipientKind, field: string, texts: readonly string[]) => {
    for (const { address } of checkMailboxes(field, texts, violations)) if (!kinds.has(address)) kinds.set(address, kind);
  };
  collect('to', 'email.to', draft.to);
  collect('cc', 'options.cc', draft.cc);
  collect('bcc', 'options.bcc', draft.bcc);
  return Array.from(kinds, ([address, kind]) => ({ address, kind }));
}

function checkText({ subject, body, htmlBody }: EmailDraft, limits: EmailLimits, violations: Violations): void {
  checkLine('email.subject', subject, MAX_SUBJECT, violations);
  checkWellFormed('email.body', body, violations);
  checkWellFormed('options.html_body', htmlBody, violations);
  if (Buffer.byteLength(body) + Buffer.byteLength(htmlBody) > limits.textBytes) {
    violations.add(
      htmlBody === '' ? 'email.body' : 'options.html_body',
      `must be at most ${limits.textBytes} bytes, body and html_body together`,
    );
  }
}

function checkTimes(draft: EmailDraft, limits: EmailLimits, now: Date, violations: Violations): Pick<CheckedEmail, 'sendAt' | 'expiresAt'> {
  const sendAt = checkTime('options.send_at', draft.sendAt, violations);
  const expiresAt = checkTime('options.expires_at', draft.expiresAt, violations);
  const due = sendAt && sendAt > now ? sendAt : now;
  if (due.getTime() - now.getTime() > MAX_SCHEDULE_SECONDS * 1000) {
    violations.add('options.send_at', `must be at most ${MAX_SCHEDULE_SECONDS} seconds from now`);
  } else if (expiresAt && expiresAt <= due) {
    violations.add('options.expires_at', 'must be later than now and than send_at');
  } else if (expiresAt && expiresAt.getTime() - due.getTime() > MAX_EXPIRY_SECONDS * 1000) {
    violations.add('options.expires_at', `must be at most ${MAX_EXPIRY_SECONDS} seconds after now or send_at`);
  }
  return { sendAt, expiresAt: expiresAt ?? new Date(due.getTime() + limits.expirySeconds * 1000) };
}

function checkPolicy(policy: string, violations: Violations): CheckedEmail['onUncertain'] {
  if (policy === 'hold' || policy === 'resend') return policy;
  if (policy !== '') violations.add('options.on_uncertain', 'must be hold or resend');
  return undefined;
}

function senderNotAllowed(address: string): RuleError {
  const violations = [{ field: 'email.from', description: 'is not among the senders that the token allows' }];
  return new RuleError('SENDER_NOT_ALLOWED', `the token does not allow ${address} in from`, { violations });
}
