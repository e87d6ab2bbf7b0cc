import { randomBytes } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import { formatEmailId } from '../emails/email-id';
import { domainOf, parseMailbox } from '../emails/mailbox';
import type { StoredObject } from '../files/object.store';
import { LINE_BYTES } from './base64-lines';
import { type OutgoingMessage, outgoingMessage, type ReadObject } from './outgoing-message';
import type { OutgoingAttachment, OutgoingEmail } from './outgoing-email';

/** RFC 2046, 5: these may not be encoded, and so a relay could not carry every file of their kind unchanged. */
const COMPOSITE = /^(multipart|message)\//i;

/** The same on every attempt, so that a mail that arrives twice is known for one. */
export const messageIdOf = ({ id, fromAddress }: Pick<OutgoingEmail, 'id' | 'fromAddress'>): string =>
  `<${formatEmailId(id)}@${domainOf(fromAddress)}>`;

/**
 * The message as RFC 5322 and MIME have it; CRLF line ends, lines within bounds, Bcc left out. Each file is composed as a
 * line that stands for it, and read in its place as the message leaves.
 */
export async function toMime(email: OutgoingEmail, attachments: readonly OutgoingAttachment[], read: ReadObject): Promise<OutgoingMessage> {
  const files = new Map<Buffer, StoredObject>();
  const contents = attachments.map(({ content }) => {
    if (Buffer.isBuffer(content)) return content;
    const stand = randomBytes(LINE_BYTES);
    files.set(stand, content);
    return stand;
  });
  return withFiles(await compose(email, attachments, contents), files, read);
}

function compose(email: OutgoingEmail, attachments: readonly OutgoingAttachment[], contents: readonly Buffer[]): Promise<Buffer> {
  const composer = new MailComposer({
    from: parseMailbox(email.from),
    to: email.to.map(parseMailbox),
    cc: email.cc.map(parseMailbox),
    replyTo: email.replyTo.map(parseMailbox),
    subject: email.subject,
    messageId: messageIdOf(email),
    date: email.sendAt ?? email.createdAt,
    ...((email.body !== '' || email.htmlBody === '') && { text: oneLineEnd(email.body) }),
    ...(email.htmlBody !== '' && { html: oneLineEnd(email.htmlBody) }),
    headers: Object.entries(email.headers).map(([key, value]) => ({ key, value })),
    attachments: attachments.map(({ filename, contentType, contentId }, index) => ({
      // A longer run would be folded into a blank line, which some readers take for the end of the part's header.
      filename: filename.replace(/ {40,}/g, ' '),
      contentType: COMPOSITE.test(contentType) ? 'application/octet-stream' : contentType,
      content: contents[index],
      ...(contentId !== '' && { cid: contentId, contentDisposition: 'inline' }),
    })),
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return new Promise((resolve, reject) =>
    composer.compile().build((error, message) => (error ? reject(error) : resolve(withoutBlankLines(message as Buffer)))),
  );
}

/** Cuts the lines out that stand for files: in the order of the message, which need not be that of the attachments. */
function withFiles(skeleton: Buffer, files: ReadonlyMap<Buffer, StoredObject>, read: ReadObject): OutgoingMessage {
  const places = Array.from(files, ([stand, object]) => {
    const line = stand.toString('base64');
    const from = skeleton.indexOf(line, 0, 'latin1');
    if (from === -1) throw new Error('the composer left out an attachment');
    return { from, to: from + line.length, object };
  }).sort((a, b) => a.from - b.from);
  const filesInOrder = places.map(({ to, object }, index) => ({ object, after: skeleton.subarray(to, places[index + 1]?.from) }));
  return outgoingMessage(skeleton.subarray(0, places[0]?.from), filesInOrder, read);
}

/** A lone CR may not stand in a message (RFC 5322, 2.3); what is left is made CRLF by the composer. */
const oneLineEnd = (text: string): string => text.replace(/\r\n?/g, '\n');

/** Where a long run of spaces is folded in the header: RFC 5322, 3.2.2 forbids blank lines, which readers may take for its end. */
function withoutBlankLines(message: Buffer): Buffer {
  const end = message.indexOf('\r\n\r\n');
  const header = message.toString('latin1', 0, end);
  const clean = header.replace(/(\r\n[ \t]+)+(?=\r\n|$)/g, '');
  return clean.length === header.length ? message : Buffer.concat([Buffer.from(clean, 'latin1'), message.subarray(end)]);
}
