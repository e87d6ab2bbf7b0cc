import { createHash } from 'node:crypto';
import type { CheckedEmail } from './check-email';
import type { EmailDraft, NewAttachment } from './new-email';

/**
 * What makes two requests the same mail: its content as it would be stored, whichever wire it came on. Without id,
 * timestamp and request_ref; times as they were asked for, since the server's default moves with the clock.
 */
export function emailFingerprint(email: CheckedEmail, { sendAt, expiresAt }: Pick<EmailDraft, 'sendAt' | 'expiresAt'>): Buffer {
  const content = [
    email.from,
    email.to,
    email.cc,
    email.bcc,
    email.replyTo,
    email.subject,
    email.body,
    email.htmlBody,
    sorted(email.headers),
    sorted(email.metadata),
    sendAt,
    expiresAt,
    email.onUncertain ?? '',
    email.attachments.map(({ filename, contentType, contentId, content }) => [filename, contentType, contentId, sha256(content)]),
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest();
}

const sorted = (map: Readonly<Record<string, string>>): [string, string][] => Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));

/** The same for bytes that came with the mail as for a file of them. */
const sha256 = (content: NewAttachment['content']): string =>
  (content instanceof Uint8Array ? createHash('sha256').update(content).digest() : content.sha256).toString('base64');
