import type { FieldViolation } from '@sky-genesis/grpc/rule-error';
import { type EmailLimits, MAX_HEADER_NAME, MAX_HEADER_VALUE, MAX_METADATA_VALUE, MAX_TIME } from './email-limits';
import { type Mailbox, MailboxError, parseMailbox } from './mailbox';

/** Collects what is wrong with a request, so that all of it is told at once. */
export class Violations {
  readonly found: FieldViolation[] = [];

  add(field: string, description: string): void {
    this.found.push({ field, description });
  }
}

/** Set by this product or by the mail system; a caller that set them could forge or break a mail. */
const FORBIDDEN_HEADERS =
  /^(from|sender|to|cc|bcc|reply-to|subject|date|message-id|mime-version|content-.*|received|return-path|resent-.*|dkim-signature|arc-.*|authentication-results)$/i;
const HEADER_NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;
const METADATA_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
// eslint-disable-next-line no-control-regex -- control characters are what it finds
const CONTROL_EXCEPT_TAB = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** A line of text: no line ends, no other control characters, well-formed Unicode. */
export function checkLine(field: string, text: string, max: number, violations: Violations): void {
  if (text.length > max) violations.add(field, `must be at most ${max} characters`);
  else if (CONTROL_EXCEPT_TAB.test(text)) violations.add(field, 'must not contain line ends or other control characters');
  else checkWellFormed(field, text, violations);
}

/** What PostgreSQL's text and UTF-8 cannot hold. */
export function checkWellFormed(field: string, text: string, violations: Violations): void {
  if (text.includes('\0')) violations.add(field, 'must not contain NUL');
  else if (!text.isWellFormed()) violations.add(field, 'must be well-formed Unicode (it has half a surrogate pair)');
}

export function checkMailboxes(field: string, texts: readonly string[], violations: Violations): Mailbox[] {
  return texts.flatMap((text, index) => checkMailbox(`${field}[${index}]`, text, violations) ?? []);
}

export function checkMailbox(field: string, text: string, violations: Violations): Mailbox | undefined {
  try {
    return parseMailbox(text.isWellFormed() ? text : '');
  } catch (error) {
    if (!(error instanceof MailboxError)) throw error;
    violations.add(field, error.message);
    return undefined;
  }
}

export function checkHeaders(field: string, headers: Readonly<Record<string, string>>, limits: EmailLimits, violations: Violations): void {
  if (!checkSize(field, headers, limits, violations)) return;
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const path = `${field}[${name}]`;
    if (name.length > MAX_HEADER_NAME || !HEADER_NAME.test(name)) {
      violations.add(path, `must be named by a letter, then letters, digits, - and _, at most ${MAX_HEADER_NAME} characters`);
    } else if (FORBIDDEN_HEADERS.test(name))
      violations.add(path, 'may not be set here: it has a field of its own, or the mail system sets it');
    else if (seen.has(name.toLowerCase())) violations.add(path, 'is given twice: header names differ by more than case');
    else if (value.trim() === '') violations.add(path, 'must not be empty');
    else checkLine(path, value, MAX_HEADER_VALUE, violations);
    seen.add(name.toLowerCase());
  }
}

export function checkMetadata(
  field: string,
  metadata: Readonly<Record<string, string>>,
  limits: EmailLimits,
  violations: Violations,
): void {
  if (!checkSize(field, metadata, limits, violations)) return;
  for (const [name, value] of Object.entries(metadata)) {
    const path = `${field}[${name}]`;
    if (name.length > 128 || !METADATA_NAME.test(name)) {
      violations.add(path, 'must be named by a letter or digit, then letters, digits and . _ -, at most 128 characters');
    } else if (value.length > MAX_METADATA_VALUE) violations.add(path, `must be at most ${MAX_METADATA_VALUE} characters`);
    else checkWellFormed(path, value, violations);
  }
}

function checkSize(field: string, map: Readonly<Record<string, string>>, limits: EmailLimits, violations: Violations): boolean {
  const entries = Object.entries(map);
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (entries.length > limits.headers) violations.add(field, `must have at most ${limits.headers} entries`);
  else if (bytes > limits.headerBytes) violations.add(field, `must be at most ${limits.headerBytes} bytes in all`);
  else return true;
  return false;
}

/** A unix time of the contract; undefined where none is given (0) or it is refused. */
export function checkTime(field: string, text: string, violations: Violations): Date | undefined {
  const seconds = Number(text);
  if (!/^-?\d+$/.test(text) || seconds < 0 || seconds > MAX_TIME) {
    violations.add(field, `must be unix seconds, 0 to ${MAX_TIME}`);
    return undefined;
  }
  return seconds === 0 ? undefined : new Date(Math.min(seconds * 1000, 8.64e15));
}
