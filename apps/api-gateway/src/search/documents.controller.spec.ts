import { RuleError } from '@sky-genesis/grpc';
import type { DeleteDocumentRequest, IndexDocumentRequest } from '@sky-genesis/proto';
import { GatewayFixture, tokenFor } from '../../testing/gateway.fixture';

const fixture = new GatewayFixture();
const { search } = fixture;
const takeAll = search.indexDocument;
beforeAll(() => fixture.start());
afterAll(() => fixture.stop());
beforeEach(() => {
  search.calls.splice(0);
  search.indexDocument = takeAll;
});

const PATH = '/api/v1/search/documents';
const put = (id: string, body: unknown) => fixture.send('PUT', `${PATH}/${encodeURIComponent(id)}`, body);
const post = (body: unknown) => fixture.post(PATH, body);
const document = () => (search.last.request as IndexDocumentRequest).document!;
const attributesOf = () => Object.fromEntries(Object.entries(document().attributes).map(([name, { values }]) => [name, values]));
const fieldsOf = (json: { errors: { field: string }[] }) => json.errors.map(({ field }) => field);

const seed = { title: 'Enterprise Architecture', content: 'Enterprise architecture overview...', url: '/docs/architecture' };

test('a document is put by its id: 201 where it was not there, 200 where it was', async () => {
  const created = await put('doc_1', { ...seed, timestamp: 1640995200, version: 7 });
  expect([created.status, created.json, created.headers.get('location')]).toEqual([
    201,
    { id: 'doc_1', status: 'created' },
    '/api/v1/search/documents/doc_1',
  ]);
  expect(search.last.request).toEqual({
    document: { id: 'doc_1', ...seed, attributes: {}, timestamp: '1640995200', version: '7' },
    requestRef: '',
    tenant: '',
  });
  for (const status of ['updated', 'unchanged']) {
    search.indexDocument = () => ({ id: 'doc_1', status });
    const again = await put('doc_1', seed);
    expect([again.status, again.json, again.headers.get('location')]).toEqual([200, { id: 'doc_1', status }, null]);
  }
});

test('a document is posted with its id in the body', async () => {
  const created = await post({ id: 'a/b c', ...seed });
  expect([created.status, created.json, created.headers.get('location')]).toEqual([
    201,
    { id: 'a/b c', status: 'created' },
    '/api/v1/search/documents/a%2Fb%20c',
  ]);
  search.indexDocument = () => ({ id: 'a/b c', status: 'updated' });
  expect((await post({ id: 'a/b c' })).status).toBe(200);
});

test.each([
  'a/b/c',
  '100%',
  '50%2F',
  'a b+c',
  '?q=1#x',
  'bulk',
  '...',
  'dok_ü_漢字_👩‍👩‍👧',
  'é',
  '漢'.repeat(85),
  'x'.repeat(256),
  '{"$ne":1}',
  '__proto__',
])('an id in the path arrives as it is: %s', async (id) => {
  const { status, json } = await put(id, {});
  expect([status, document().id, json.id]).toEqual([201, id, id]);
  const removed = await fixture.ask(`${PATH}/${encodeURIComponent(id)}`, { method: 'DELETE' });
  expect([removed.status, (search.last.request as DeleteDocumentRequest).id]).toEqual([200, id]);
});

test('attributes are a value or a list, of text, numbers, true and false; the service gets lists of text', async () => {
  const { status } = await put('a', {
    attributes: { one: 'x', many: ['x', 'y'], none: [], number: 12.5, zero: [0, -1], yes: true, mixed: ['a', 1, false], constructor: 'c' },
  });
  expect([status, attributesOf()]).toEqual([
    201,
    {
      one: ['x'],
      many: ['x', 'y'],
      none: [],
      number: ['12.5'],
      zero: ['0', '-1'],
      yes: ['true'],
      mixed: ['a', '1', 'false'],
      constructor: ['c'],
    },
  ]);
});

test.each<[object | string, string[]]>([
  [{ titel: 'x', kind: 'email' }, ['titel', 'kind']],
  [{ tenant: 'other', source: 'mail' }, ['tenant', 'source']],
  [{ document: {} }, ['document']],
  [{ title: 1, content: null, url: [] }, ['title', 'content', 'url']],
  [{ attributes: [] }, ['attributes']],
  [
    { attributes: { a: null, b: {}, c: ['x', null], d: [['x']] } },
    ['attributes[a]', 'attributes[b]', 'attributes[c][1]', 'attributes[d][0]'],
  ],
  ['{"attributes":{"a":9007199254740993,"b":[1e21]}}', ['attributes[a]', 'attributes[b][0]']],
  ['{"attributes":{"__proto__":"x"}}', ['attributes[__proto__]']],
  [{ timestamp: -1, version: 1.5 }, ['timestamp', 'version']],
  [{ version: '5' }, ['version']],
  ['{"title":"\\ud800"}', ['title']],
  ['[]', ['body']],
  ['', ['body']],
])('%j is refused by name', async (body, fields) => {
  const { status, json } = await put('a', body);
  expect([status, json.code, fieldsOf(json)]).toEqual([400, 'INVALID_ARGUMENT', fields]);
  expect(search.calls).toEqual([]);
});

test('a number that its text would not tell is refused with what to do', async () => {
  const { json } = await put('a', '{"attributes":{"a":[9007199254740993]}}');
  expect(json.detail).toContain('must be given as text');
});

test('path and body name the same document', async () => {
  expect((await put('a', { id: 'a' })).status).toBe(201);
  const { status, json } = await put('a', { id: 'b' });
  expect([status, fieldsOf(json)]).toEqual([400, ['id']]);
});

test('what the service refuses is told as the body has it', async () => {
  const wrong = ['document.id', 'document.attributes[a b]', 'document.attributes[document.x]', 'document.timestamp', 'document'];
  search.indexDocument = () => {
    throw new RuleError('INVALID_ARGUMENT', 'x', { violations: wrong.map((field) => ({ field, description: 'is wrong' })) });
  };
  const { status, json } = await post({});
  expect([status, fieldsOf(json)]).toEqual([400, ['id', 'attributes[a b]', 'attributes[document.x]', 'timestamp', 'body']]);
});

test.each([
  ['SEARCH_UNAVAILABLE', 503, '2'],
  ['OVERLOADED', 503, '2'],
  ['SERVICES_ONLY', 403, null],
] as const)('%s of the service is %i here, for each method', async (reason, expected, retryAfter) => {
  search.indexDocument = search.deleteDocument = () => {
    throw new RuleError(reason, 'why', retryAfter ? { retryAfterSeconds: 2 } : {});
  };
  const answers = await Promise.all([put('a', {}), post({ id: 'a' }), fixture.ask(`${PATH}/a`, { method: 'DELETE' })]);
  for (const { status, headers, json } of answers) {
    expect([status, json.code, headers.get('retry-after')]).toEqual([expected, reason, retryAfter]);
  }
  search.deleteDocument = () => ({ deleted: true });
});

test('a document is deleted in a version, and whether it was there is told', async () => {
  const remove = (query: string) => fixture.ask(`${PATH}/a${query}`, { method: 'DELETE' });
  expect((await remove('?version=5')).json).toEqual({ deleted: true });
  expect(search.last.request).toEqual({ id: 'a', version: '5', tenant: '', requestRef: '' });
  search.deleteDocument = () => ({ deleted: false });
  const { status, json } = await remove('');
  expect([status, json, (search.last.request as DeleteDocumentRequest).version]).toEqual([200, { deleted: false }, '0']);
  for (const [query, field] of [
    ['?version=x', 'version'],
    ['?version=9007199254740992', 'version'],
    ['?force=1', 'force'],
  ]) {
    const wrong = await remove(query!);
    expect([wrong.status, fieldsOf(wrong.json)]).toEqual([400, [field]]);
  }
  const withBody = await fixture.send('DELETE', `${PATH}/a`, { id: 'b' });
  expect([withBody.status, fieldsOf(withBody.json)]).toEqual([400, ['id']]);
});

test.each(['PUT', 'POST', 'DELETE'] as const)('%s without the scope is refused', async (method) => {
  const path = method === 'POST' ? PATH : `${PATH}/a`;
  const { status, headers } = await fixture.send(method, path, {}, { authorization: `Bearer ${tokenFor('search.read mail.send')}` });
  expect([status, headers.get('www-authenticate')]).toEqual([403, 'Bearer error="insufficient_scope", scope="search.write"']);
  expect(search.calls).toEqual([]);
});

test.each([
  ['GET', `${PATH}/a`],
  ['POST', `${PATH}/a`],
  ['PUT', PATH],
  ['PUT', `${PATH}/a/b`],
  ['DELETE', PATH],
])('there is no %s %s', async (method, path) => {
  const { status, json } = await fixture.ask(path, { method });
  expect([status, json.code]).toEqual([404, 'ROUTE_NOT_FOUND']);
});
