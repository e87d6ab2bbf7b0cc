import type { Caller } from '@sky-genesis/grpc/caller';
import { type FieldViolation, InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import type { IndexedDocument, Kind } from '../engines/search.engine';
import { builtInFields } from '../query/query';

/** A document as its caller wrote it; int64 are decimal text. */
export interface DocumentDraft {
  id: string;
  title: string;
  content: string;
  url: string;
  attributes: Readonly<Record<string, readonly string[]>>;
  timestamp: string;
  version: string;
}

/** Which document, and in which version it is deleted. */
export interface DeletionDraft {
  id: string;
  version: string;
}

/** Bytes of an id, at most. */
export const MAX_ID_BYTES = 256;
const MAX_TITLE = 998;
const MAX_CONTENT_BYTES = 1024 * 1024;
const MAX_URL = 2048;
const MAX_ATTRIBUTES = 64;
const MAX_VALUES = 1000;
const MAX_VALUE_BYTES = 1024;
const MAX_ATTRIBUTES_BYTES = 128 * 1024;
const MAX_TENANT = 256;
/** A request may be wrong in more places than can be told: grpc-js has a bound on what an answer carries. */
const MAX_WRONG_ATTRIBUTES = 20;

const ATTRIBUTE_NAME = /^[A-Za-z0-9_.-]{1,128}$/;
const OWN_PREFIXES = ['msg_', 'file_', 'evt_'] as const;
// eslint-disable-next-line no-control-regex -- control characters are what these find
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
// eslint-disable-next-line no-control-regex
const CONTROL_EXCEPT_TAB = /[\u0000-\u0008\u000a-\u001f\u007f]/;

type Report = (field: string, description: string) => void;

/**
 * The tenant that a change is for: the caller's own, or, for the product's own services, the one that the request names.
 * @throws RuleError SERVICES_ONLY; InvalidArgumentError
 */
export function tenantOf(named: string, caller: Caller): string {
  if (caller.service === undefined) {
    if (named !== '') throw new RuleError('SERVICES_ONLY');
    return caller.tenant;
  }
  if (named === '' || named.length > MAX_TENANT || CONTROL.test(named) || !named.isWellFormed()) {
    const description = `must be 1 to ${MAX_TENANT} characters, none of them a control character: a service names whose document it is`;
    throw new InvalidArgumentError([{ field: 'tenant', description }]);
  }
  return named;
}

/** email: what the feed of mail indexes. */
export const kindOf = (id: string, { service }: Caller): Kind => (service === 'mail' && id.startsWith('msg_') ? 'email' : 'document');

/**
 * The document as engines keep it, for `tenant`.
 * @param now the version of a document that says none
 * @throws InvalidArgumentError with everything that is wrong
 */
export function checkDocument(draft: DocumentDraft | undefined, tenant: string, caller: Caller, now: () => number): IndexedDocument {
  if (!draft) throw new InvalidArgumentError([{ field: 'document', description: 'is required' }]);
  const violations: FieldViolation[] = [];
  const report: Report = (field, description) => violations.push({ field: `document.${field}`, description });
  checkId('id', draft.id, caller, report);
  checkTexts(draft, report);
  checkAttributes(draft.attributes, report);
  const timestamp = checkNumber('timestamp', draft.timestamp, 'unix seconds', report);
  const version = checkNumber('version', draft.version, 'a number', report);
  if (violations.length > 0) throw new InvalidArgumentError(violations);
  const { id, title, content, url, attributes } = draft;
  return { tenant, id, kind: kindOf(id, caller), title, content, url, attributes, timestamp, version: version || now() };
}

/**
 * The version of a deletion.
 * @throws InvalidArgumentError with everything that is wrong
 */
export function checkDeletion({ id, version }: DeletionDraft, caller: Caller, now: () => number): number {
  const violations: FieldViolation[] = [];
  const report: Report = (field, description) => violations.push({ field, description });
  checkId('id', id, caller, report);
  const checked = checkNumber('version', version, 'a number', report);
  if (violations.length > 0) throw new InvalidArgumentError(violations);
  return checked || now();
}

function checkId(field: string, id: string, { service }: Caller, report: Report): void {
  const prefix = OWN_PREFIXES.find((own) => id.startsWith(own));
  if (!isId(id)) report(field, `must be 1 to ${MAX_ID_BYTES} bytes, without control characters`);
  else if (prefix !== undefined && service === undefined) report(field, `must not begin with ${prefix}: such ids are the product's own`);
}

/** Whether this may be the id of a document. */
export const isId = (id: string): boolean => id !== '' && Buffer.byteLength(id) <= MAX_ID_BYTES && !CONTROL.test(id) && id.isWellFormed();

function checkTexts({ title, content, url }: DocumentDraft, report: Report): void {
  if (title.length > MAX_TITLE) report('title', `must be at most ${MAX_TITLE} characters`);
  else if (CONTROL_EXCEPT_TAB.test(title)) report('title', 'must be one line, without control characters');
  else checkWellFormed('title', title, report);
  if (Buffer.byteLength(content) > MAX_CONTENT_BYTES) report('content', `must be at most ${MAX_CONTENT_BYTES} bytes`);
  else checkWellFormed('content', content, report);
  if (url.length > MAX_URL) report('url', `must be at most ${MAX_URL} characters`);
  else if (CONTROL.test(url)) report('url', 'must not contain control characters');
  else checkWellFormed('url', url, report);
}

/** What UTF-8 and PostgreSQL's text cannot hold. */
function checkWellFormed(field: string, text: string, report: Report): void {
  if (text.includes('\0')) report(field, 'must not contain NUL');
  else if (!text.isWellFormed()) report(field, 'must be well-formed Unicode (it has half a surrogate pair)');
}

function checkAttributes(attributes: DocumentDraft['attributes'], report: Report): void {
  const entries = Object.entries(attributes);
  if (entries.length > MAX_ATTRIBUTES) {
    report('attributes', `must have at most ${MAX_ATTRIBUTES} names`);
    return;
  }
  let bytes = 0;
  let wrong = 0;
  for (const [name, values] of entries) {
    const description = attributeFault(name, values);
    if (description !== undefined && wrong++ < MAX_WRONG_ATTRIBUTES) report(`attributes[${name.slice(0, 128)}]`, description);
    bytes += values.reduce((sum, value) => sum + Buffer.byteLength(value), Buffer.byteLength(name));
  }
  if (bytes > MAX_ATTRIBUTES_BYTES) report('attributes', `must be at most ${MAX_ATTRIBUTES_BYTES} bytes in all`);
}

function attributeFault(name: string, values: readonly string[]): string | undefined {
  if (!ATTRIBUTE_NAME.test(name)) return 'must be named by 1 to 128 letters, digits and . _ -';
  if ((builtInFields as readonly string[]).includes(name))
    return `must not be named as a field of every document: ${builtInFields.join(', ')}`;
  if (values.length > MAX_VALUES) return `must have at most ${MAX_VALUES} values`;
  if (values.some((value) => Buffer.byteLength(value) > MAX_VALUE_BYTES)) return `must have values of at most ${MAX_VALUE_BYTES} bytes`;
  if (values.some((value) => value.includes('\0') || !value.isWellFormed())) return 'must have values of well-formed Unicode without NUL';
  return undefined;
}

function checkNumber(field: string, text: string, what: string, report: Report): number {
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && value <= Number.MAX_SAFE_INTEGER) return value;
  report(field, `must be ${what}, 0 to ${Number.MAX_SAFE_INTEGER}`);
  return 0;
}
