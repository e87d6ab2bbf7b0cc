import { RuleError } from '@sky-genesis/grpc/rule-error';
import { callerOf, serviceCaller } from './caller.fixture';
import { checkDeletion, checkDocument, type DocumentDraft, tenantOf } from './check-document';
import { draftOf } from './document.fixture';

const NOW = 1_700_000_000_000;
const acme = callerOf('acme');
const check = (over: Partial<DocumentDraft> = {}, caller = acme) => checkDocument(draftOf('doc_1', over), 'acme', caller, () => NOW);

function fieldsOf(run: () => unknown): (string | undefined)[] {
  try {
    run();
    return [];
  } catch (error) {
    if (!(error instanceof RuleError) || error.reason !== 'INVALID_ARGUMENT') throw error;
    return (error.details.violations ?? []).map(({ field }) => field);
  }
}

test('a document within its bounds is taken as it is; without a version it has the time', () => {
  const attributes = { tag: ['a', 'b'], 'metadata.order_id-1': ['7'] };
  expect(check({ attributes, timestamp: '12', version: '0' })).toEqual({
    tenant: 'acme',
    kind: 'document',
    id: 'doc_1',
    title: 'title of doc_1',
    content: 'content',
    url: '/docs/doc_1',
    attributes,
    timestamp: 12,
    version: NOW,
  });
  expect(check({ version: '9007199254740991' }).version).toBe(Number.MAX_SAFE_INTEGER);
});

test.each<[string, Partial<DocumentDraft>]>([
  ['id', { id: 'é'.repeat(128) }],
  ['title', { title: 'x'.repeat(998) }],
  ['title', { title: 'a\ttab' }],
  ['content', { content: 'x'.repeat(2 ** 20) }],
  ['content', { content: 'line\nline' }],
  ['url', { url: 'x'.repeat(2048) }],
  ['attributes', { attributes: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`a${i}`, ['x']])) }],
  ['attributes', { attributes: { ['n'.repeat(128)]: ['v'.repeat(1024)] } }],
  ['attributes', { attributes: { many: Array.from({ length: 1000 }, () => 'v') } }],
])('the largest %s is taken', (_field, over) => {
  expect(fieldsOf(() => check(over))).toEqual([]);
});

test.each<[string, Partial<DocumentDraft>]>([
  ['document.id', { id: '' }],
  ['document.id', { id: 'é'.repeat(129) }],
  ['document.id', { id: 'a\nb' }],
  ['document.id', { id: 'msg_0190' }],
  ['document.id', { id: 'file_1' }],
  ['document.id', { id: 'evt_1' }],
  ['document.title', { title: 'x'.repeat(999) }],
  ['document.title', { title: 'two\nlines' }],
  ['document.title', { title: 'half \ud800' }],
  ['document.content', { content: 'é'.repeat(2 ** 19 + 1) }],
  ['document.content', { content: 'a\0b' }],
  ['document.url', { url: 'x'.repeat(2049) }],
  ['document.url', { url: '/a\r\nb' }],
  ['document.attributes', { attributes: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, ['x']])) }],
  ['document.attributes[a b]', { attributes: { 'a b': ['x'] } }],
  ['document.attributes[title]', { attributes: { title: ['x'] } }],
  ['document.attributes[timestamp]', { attributes: { timestamp: ['1'] } }],
  ['document.attributes[many]', { attributes: { many: Array.from({ length: 1001 }, () => 'v') } }],
  ['document.attributes[long]', { attributes: { long: ['v'.repeat(1025)] } }],
  ['document.attributes[nul]', { attributes: { nul: ['a\0'] } }],
  ['document.attributes', { attributes: { big: Array.from({ length: 129 }, () => 'v'.repeat(1024)) } }],
  ['document.timestamp', { timestamp: '-1' }],
  ['document.timestamp', { timestamp: '9007199254740992' }],
  ['document.version', { version: '1.5' }],
])('%s beyond its bound is refused by name', (field, over) => {
  expect(fieldsOf(() => check(over))).toEqual([field]);
});

test('all that is wrong is told at once', () => {
  expect(fieldsOf(() => check({ id: '', title: 'a\nb', url: '\n', attributes: { id: ['x'] }, timestamp: 'x', version: '-1' }))).toEqual([
    'document.id',
    'document.title',
    'document.url',
    'document.attributes[id]',
    'document.timestamp',
    'document.version',
  ]);
  expect(fieldsOf(() => checkDocument(undefined, 'acme', acme, () => NOW))).toEqual(['document']);
});

describe('the product’s own services', () => {
  test('index mails, as such; others’ documents stay documents', () => {
    expect(check({ id: 'msg_1' }, serviceCaller('mail')).kind).toBe('email');
    expect(check({ id: 'doc_1' }, serviceCaller('mail')).kind).toBe('document');
    expect(check({ id: 'msg_1' }, serviceCaller('files')).kind).toBe('document');
  });

  test('name the tenant; nobody else may', () => {
    expect(tenantOf('other', serviceCaller('mail'))).toBe('other');
    expect(fieldsOf(() => tenantOf('', serviceCaller('mail')))).toEqual(['tenant']);
    expect(fieldsOf(() => tenantOf('a\nb', serviceCaller('mail')))).toEqual(['tenant']);
    expect(tenantOf('', acme)).toBe('acme');
    for (const named of ['other', 'acme'])
      expect(() => tenantOf(named, acme)).toThrow(expect.objectContaining({ reason: 'SERVICES_ONLY' }));
  });
});

test('a deletion names its fields without the document', () => {
  expect(checkDeletion({ id: 'doc_1', version: '0' }, acme, () => NOW)).toBe(NOW);
  expect(fieldsOf(() => checkDeletion({ id: 'msg_1', version: 'x' }, acme, () => NOW))).toEqual(['id', 'version']);
});
