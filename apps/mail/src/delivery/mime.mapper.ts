import MailComposer from 'nodemailer/lib/mail-composer';
import { formatEmailId } from '../emails/email-id';
import { domainOf, parseMailbox } from '../emails/mailbox';
import type { OutgoingAttachment, OutgoingEmail } from './outgoing-email';

/** The same on every attempt, so that a mail that arrives twice is known for one. */
export const messageIdOf = ({ id, fromAddress }: Pick<OutgoingEmail, 'id' | 'fromAddress'>): string =>
  `<${formatEmailId(id)}@${domainOf(fromAddress)}>`;

/** The message as RFC 5322 and MIME have it; CRLF line ends, lines within bounds, Bcc left out. */
export function toMime(email: OutgoingEmail, attachments: readonly OutgoingAttachment[]): Promise<Buffer> {
  const composer = new MailComposer({
    from: parseMailbox(email.from),
    to: email.to.map(parseMailbox),
    cc: email.cc.map(parseMailbox),
    replyTo: email.replyTo.map(parseMailbox),
    subject: email.subject,
    messageId: messageIdOf(email),
    date: email.sendAt ?? email.createdAt,
    ...((email.body !== '' || email.htmlBody === '') && { text: email.body }),
    ...(email.htmlBody !== '' && { html: email.htmlBody }),
    headers: Object.entries(email.headers).map(([key, value]) => ({ key, value })),
    attachments: attachments.map(({ filename, contentType, contentId, content }) => ({
      filename,
      contentType,
      content,
      ...(contentId !== '' && { cid: contentId, contentDisposition: 'inline' }),
    })),
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return new Promise((resolve, reject) => composer.compile().build((error, message) => (error ? reject(error) : resolve(message as Buffer))));
}
