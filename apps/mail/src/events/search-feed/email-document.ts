import { emailStatus, type RecipientStatus } from '../../emails/email-status';
import { formatEmailId } from '../../emails/email-id';
import { htmlText } from './html-text';

/** A mail as it is now. */
export interface EmailState {
  tenant: string;
  id: string;
  /** The last event of the tenant, in the snapshot that the rest is of. */
  lastEvent: number;
  /** Unix seconds. */
  createdAt: number;
  from: string;
  to: readonly string[];
  cc: readonly string[];
  bcc: readonly string[];
  subject: string;
  /** The beginning. */
  body: string;
  /** The beginning; '' where there is a body. */
  htmlBody: string;
  metadata: Readonly<Record<string, string>>;
  /** Of its recipients, each once. */
  statuses: readonly RecipientStatus[];
  filenames: readonly string[];
  /** Of the texts and the attachments, in bytes. */
  size: number;
}

/** A mail as search keeps it. */
export interface EmailDocument {
  id: string;
  title: string;
  content: string;
  url: string;
  attributes: Record<string, string[]>;
  /** Unix seconds. */
  timestamp: number;
}

/** Search knows a mail in this state, or that it is gone. */
export interface EmailChange {
  tenant: string;
  /** UUID. */
  id: string;
  version: number;
  /** Undefined: it is gone. */
  document: EmailDocument | undefined;
}

/** Of a document, in bytes. The contract's own are 1 MiB and 128 KiB; messages may be bounded lower. */
export interface DocumentBounds {
  contentBytes: number;
  attributesBytes: number;
}

const MAX_NAMES = 64;
const MAX_NAME = 128;
const MAX_VALUES = 1000;
const MAX_VALUE_BYTES = 1024;
const MAX_TITLE = 998;
// eslint-disable-next-line no-control-regex -- what a title may not hold
const CONTROL = /[\u0000-\u001f\u007f]/g;

/**
 * The version of a document: the states of a tenant come one after the other by its events. A rebuild writes the same
 * state anew, above what it was.
 */
export const versionOf = (lastEvent: number, rebuilds: number): number => lastEvent * 1000 + (rebuilds % 1000);

/** The document of a mail, within the bounds of search: what is too long is cut, what is too much is left out. */
export async function emailDocument(email: EmailState, bounds: DocumentBounds): Promise<EmailDocument> {
  const id = formatEmailId(email.id);
  const text = email.body.trim() === '' ? await htmlText(email.htmlBody, bounds.contentBytes) : email.body;
  return {
    id,
    title: email.subject.replace(CONTROL, ' ').slice(0, MAX_TITLE).toWellFormed(),
    content: cutToBytes(text, bounds.contentBytes),
    url: `/api/v1/mail/${id}`,
    attributes: attributesOf(email, bounds.attributesBytes),
    timestamp: email.createdAt,
  };
}

/** What matters most comes first, for the case that there is no room for all. */
function attributesOf(email: EmailState, maxBytes: number): Record<string, string[]> {
  const attributes = new Attributes(maxBytes);
  attributes.add('status', emailStatus(email.statuses));
  attributes.add('has_attachment', String(email.filenames.length > 0));
  attributes.add('size', String(email.size));
  attributes.add('from', shortMailbox(email.from));
  const lists = { to: email.to, cc: email.cc, bcc: email.bcc };
  for (const [name, mailboxes] of Object.entries(lists)) for (const mailbox of mailboxes) attributes.add(name, shortMailbox(mailbox));
  for (const filename of email.filenames) attributes.add('filename', filename);
  for (const [key, value] of Object.entries(email.metadata)) attributes.add(`metadata.${key.replace(/[^A-Za-z0-9_.-]/g, '_')}`, value);
  return attributes.found;
}

class Attributes {
  readonly found: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  private bytes = 0;
  private names = 0;

  constructor(private readonly maxBytes: number) {}

  /** Leaves out what does not fit. */
  add(name: string, value: string): void {
    const known = this.found[name];
    const valueBytes = Buffer.byteLength(value);
    const bytes = valueBytes + (known ? 0 : name.length);
    if (name.length > MAX_NAME || valueBytes > MAX_VALUE_BYTES || this.bytes + bytes > this.maxBytes) return;
    if (known ? known.length >= MAX_VALUES : this.names >= MAX_NAMES) return;
    if (!known) this.names++;
    (this.found[name] ??= []).push(value.toWellFormed());
    this.bytes += bytes;
  }
}

/** A name that is too long may go, the address not. */
const shortMailbox = (mailbox: string): string =>
  Buffer.byteLength(mailbox) <= MAX_VALUE_BYTES ? mailbox : mailbox.slice(mailbox.lastIndexOf('<') + 1).replace(/>\s*$/, '');

/** The beginning of a text, in whole characters. */
function cutToBytes(text: string, maxBytes: number): string {
  // A character has one byte at least: nothing behind can be kept.
  const bytes = Buffer.from(text.slice(0, maxBytes).toWellFormed());
  if (bytes.length <= maxBytes) return bytes.toString();
  let end = maxBytes;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
