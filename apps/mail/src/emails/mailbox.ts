import { domainToASCII } from 'node:url';

/** A mailbox of RFC 5322: who, and the address to reach them. */
export interface Mailbox {
  name: string;
  /** local@domain, the domain in lower-case ASCII (IDNA). */
  address: string;
}

const MAX_MAILBOX = 512;
/** RFC 5321, 4.5.3.1: in octets. The 254 follow from the path's 256. */
const MAX_LOCAL_PART = 64;
const MAX_ADDRESS = 254;

// RFC 5322 atext, with RFC 6531's addition of what is not ASCII, save what cannot be seen: controls, formats, spaces.
const ATEXT = "(?:[\\w!#$%&'*+/=?^`{|}~-]|(?![\\p{C}\\p{Z}])[\\u0080-\\u{10ffff}])";
const LOCAL_PART = new RegExp(`^${ATEXT}+(\\.${ATEXT}+)*$`, 'u');
/** Before IDNA: domainToASCII reads a URL's host, and so a path, a port or a percent-encoding after or in it. */
const DOMAIN_AS_GIVEN = /^[a-zA-Z0-9.\u0080-\u{10ffff}-]+$/u;
const DOMAIN = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const QUOTED_NAME = /^"((?:[^"\\]|\\.)*)"$/u;
const PLAIN_NAME = /^[^"<>()[\]:;@\\,]*$/u;
// eslint-disable-next-line no-control-regex -- control characters are what this finds
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Why a text is no mailbox; the words follow the field's name: "must ...". */
export class MailboxError extends Error {}

/**
 * Reads `a@example.com` or `Name <a@example.com>`. Quoted local parts, address literals, comments and groups are not
 * taken: no caller of an API needs them, and they are where parsers disagree about who gets the mail.
 * @throws MailboxError
 */
export function parseMailbox(text: string): Mailbox {
  if (text.length > MAX_MAILBOX) throw new MailboxError(`must be at most ${MAX_MAILBOX} characters`);
  if (CONTROL.test(text)) throw new MailboxError('must not contain control characters');
  const trimmed = text.trim();
  if (!trimmed.endsWith('>')) return { name: '', address: parseAddress(trimmed) };
  const open = trimmed.lastIndexOf('<');
  if (open < 0) throw notAMailbox();
  return { name: parseName(trimmed.slice(0, open).trim()), address: parseAddress(trimmed.slice(open + 1, -1)) };
}

function parseName(name: string): string {
  const quoted = QUOTED_NAME.exec(name);
  if (quoted) return (quoted[1] ?? '').replace(/\\(.)/gu, '$1');
  if (!PLAIN_NAME.test(name)) throw notAMailbox();
  return name.replace(/\s+/g, ' ');
}

function parseAddress(text: string): string {
  const at = text.lastIndexOf('@');
  const localPart = text.slice(0, Math.max(at, 0)).normalize('NFC');
  const domainAsGiven = text.slice(at + 1);
  if (at < 1 || !LOCAL_PART.test(localPart) || !DOMAIN_AS_GIVEN.test(domainAsGiven)) throw notAMailbox();
  if (Buffer.byteLength(localPart) > MAX_LOCAL_PART) throw new MailboxError(`must have at most ${MAX_LOCAL_PART} octets before the @`);
  const domain = domainToASCII(domainAsGiven);
  // domainToASCII reads 0x7f000001 and the like as an IPv4 address: only names are domains of mail.
  if (!DOMAIN.test(domain) || /(^|\.)\d+$/.test(domain)) throw notAMailbox();
  const address = `${localPart}@${domain}`;
  if (Buffer.byteLength(address) > MAX_ADDRESS) throw new MailboxError(`must be an address of at most ${MAX_ADDRESS} octets`);
  return address;
}

const notAMailbox = (): MailboxError => new MailboxError('must be an address such as a@example.com or Name <a@example.com>');

/** The part after the @. */
export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);

/** Whether an address is among a token's senders: addresses, `*@domain` or `*`. Case does not matter. */
export function isAllowedSender(address: string, senders: readonly string[]): boolean {
  const wanted = address.toLowerCase();
  const anyOfDomain = `*@${domainOf(wanted)}`;
  return senders.some((sender) => sender === '*' || sender.toLowerCase() === wanted || sender.toLowerCase() === anyOfDomain);
}
