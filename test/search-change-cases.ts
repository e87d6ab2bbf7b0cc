import type { CaseDocument, CaseToken, Refused } from './search-cases';

/** One change, made in the order of the table, and what every wire must answer. */
export interface ChangeCase {
  what: string;
  index?: CaseDocument;
  remove?: { id: string; version?: number };
  token?: CaseToken;
  /** created, updated, unchanged; of a deletion, whether there was anything. */
  answer?: string | boolean;
  refused?: Refused;
}

const refusedDocument = (what: string, index: Partial<CaseDocument>, ...fields: string[]): ChangeCase => ({
  what,
  index: { id: 'wrong', ...index },
  refused: { reason: 'INVALID_ARGUMENT', fields: fields.map((field) => `document.${field}`) },
});
const refusedDeletion = (what: string, id: string): ChangeCase => ({
  what,
  remove: { id },
  refused: { reason: 'INVALID_ARGUMENT', fields: ['id'] },
});

export const changeCases: ChangeCase[] = [
  { what: 'a document that is new', index: { id: 'change', title: 'one', version: 5 }, answer: 'created' },
  { what: 'the same version again', index: { id: 'change', title: 'two', version: 5 }, answer: 'unchanged' },
  { what: 'a lower version', index: { id: 'change', title: 'two', version: 4 }, answer: 'unchanged' },
  { what: 'a higher version', index: { id: 'change', title: 'two', version: 6 }, answer: 'updated' },
  { what: 'a deletion of a lower version', remove: { id: 'change', version: 5 }, answer: false },
  { what: 'a deletion', remove: { id: 'change', version: 7 }, answer: true },
  { what: 'a deletion of what is deleted', remove: { id: 'change', version: 8 }, answer: false },
  { what: 'a version from before the deletion', index: { id: 'change', title: 'late', version: 6 }, answer: 'unchanged' },
  { what: 'a version from after the deletion', index: { id: 'change', title: 'new', version: 9 }, answer: 'created' },
  { what: 'the clock as its version', index: { id: 'change', title: 'now' }, answer: 'updated' },
  { what: 'a deletion by the clock', remove: { id: 'change' }, answer: true },
  { what: 'a deletion of what never was', remove: { id: 'neither' }, answer: false },
  refusedDocument('no id', { id: '' }, 'id'),
  refusedDocument('an id of a mail', { id: 'msg_1' }, 'id'),
  refusedDocument('an id of a file', { id: 'file_1' }, 'id'),
  refusedDocument('an id of an event', { id: 'evt_1' }, 'id'),
  refusedDocument('an id that is too long', { id: 'ü'.repeat(129) }, 'id'),
  refusedDocument('an id with a control character', { id: 'a\nb' }, 'id'),
  refusedDocument('a title of two lines', { title: 'a\nb' }, 'title'),
  refusedDocument('a title that is too long', { title: 'x'.repeat(999) }, 'title'),
  refusedDocument('a content that is too long', { content: 'x'.repeat(1_048_577) }, 'content'),
  refusedDocument('NUL in the content', { content: 'a\0b' }, 'content'),
  refusedDocument('a url that is too long', { url: 'x'.repeat(2049) }, 'url'),
  refusedDocument('an attribute with a blank in its name', { attributes: { 'a b': ['x'] } }, 'attributes[a b]'),
  refusedDocument('an attribute that every document has', { attributes: { title: ['x'] } }, 'attributes[title]'),
  refusedDocument('a value that is too long', { attributes: { a: ['x'.repeat(1025)] } }, 'attributes[a]'),
  refusedDocument('too many values', { attributes: { a: Array.from({ length: 1001 }, (_, at) => String(at)) } }, 'attributes[a]'),
  refusedDocument(
    'too many attributes',
    { attributes: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`a${at}`, ['x']])) },
    'attributes',
  ),
  refusedDocument('a time before 1970', { timestamp: -1 }, 'timestamp'),
  refusedDocument('a version below zero', { version: -1 }, 'version'),
  refusedDocument('everything at once', { id: 'evt_1', title: 'a\nb', attributes: { '': ['x'] } }, 'id', 'title', 'attributes[]'),
  refusedDeletion('a deletion of a mail', 'msg_1'),
  refusedDeletion('a deletion of an id that is too long', 'x'.repeat(257)),
  { what: 'a document without a token', index: { id: 'a' }, token: 'none', refused: { reason: 'UNAUTHENTICATED' } },
  { what: 'a document without the scope', index: { id: 'a' }, token: 'without search', refused: { reason: 'SCOPE_MISSING' } },
  { what: 'a deletion without the scope', remove: { id: 'a' }, token: 'without search', refused: { reason: 'SCOPE_MISSING' } },
];
