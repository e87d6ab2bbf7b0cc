import { RuleError } from '@sky-genesis/grpc';
import type { SearchRequest } from '@sky-genesis/proto';
import { GatewayFixture, tokenFor } from '../../testing/gateway.fixture';

const fixture = new GatewayFixture();
const { search } = fixture;
const findNothing = search.search;
beforeAll(() => fixture.start());
afterAll(() => fixture.stop());
beforeEach(() => {
  search.calls.splice(0);
  search.search = findNothing;
});

const ask = (query: string, headers = {}) => fixture.ask(`/api/v1/search${query}`, { headers });
const lastRequest = () => search.last.request as SearchRequest;
const refuse = (...[reason, message, details]: ConstructorParameters<typeof RuleError>) => {
  search.search = () => {
    throw new RuleError(reason, message, details);
  };
};

test("the seed's request is answered with the seed's JSON", async () => {
  const found = {
    id: 'doc_1',
    title: 'Enterprise Architecture',
    content: 'Enterprise architecture overview...',
    url: '/docs/architecture',
    score: 0.95,
  };
  search.search = () => ({
    results: [{ ...found, highlights: [], attributes: {}, timestamp: '0', kind: 'document' }],
    totalCount: 1,
    queryTimeMs: 45,
  });
  const { status, headers, json } = await ask('?q=enterprise&limit=10&offset=0');
  expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  const { kind, ...seed } = json.results[0];
  const { indexed_through_ms, ...answer } = json;
  expect([{ ...answer, results: [seed] }, kind, indexed_through_ms]).toEqual([
    { results: [found], total_count: 1, query_time_ms: 45 },
    'document',
    0,
  ]);
  expect(lastRequest()).toMatchObject({ query: 'enterprise', limit: 10, offset: 0, filters: [], facets: [], kinds: [] });
});

test('filter, facet and kind may be given once or more than once, in order, and a comma is a character', async () => {
  await ask('?filter=a:b&facet=x&kind=email');
  expect(lastRequest()).toMatchObject({ filters: ['a:b'], facets: ['x'], kinds: ['email'] });
  await ask('?filter=b:2,3&kind=email&filter=a:1&facet=y&facet=x&kind=document&facet=');
  expect(lastRequest()).toMatchObject({ filters: ['b:2,3', 'a:1'], facets: ['y', 'x', ''], kinds: ['email', 'document'] });
});

test('who asks is passed on, and what may be waited for, and how long', async () => {
  const authorization = `Bearer ${tokenFor('search.read')}`;
  const began = Date.now();
  await ask('?wait_for_id=msg_1&page_token=abc&sort=newest', { authorization, 'request-timeout': '2.5' });
  expect(search.last.metadata.get('authorization')).toEqual([authorization]);
  expect(lastRequest()).toMatchObject({ waitForId: 'msg_1', pageToken: 'abc', sort: 'newest' });
  const allowed = search.last.deadline.getTime() - began;
  expect(allowed).toBeGreaterThan(2000);
  expect(allowed).toBeLessThan(3500);
});

test.each([
  '"a phrase" -not OR (from:alice@example.com) word* ~',
  'a+b & c=d # e % 25%20 ?q=x',
  '\u0000\u0001\t\r\n',
  '\u202eعربى\u202c שלום 漢字 한국어 👩‍👩‍👧 e\u0301',
  `<script>alert("x")</script> ' or 1=1; -- {"$ne":1} *:* ${'('.repeat(500)}`,
  '__proto__ constructor [object Object]',
])('what is asked arrives as it was: %j', async (q) => {
  const { status } = await ask(`?${new URLSearchParams({ q, filter: q }).toString()}`);
  expect([status, lastRequest().query, lastRequest().filters]).toEqual([200, q, [q]]);
});

test('a long query arrives whole, or is refused by name, however long', async () => {
  await ask(`?q=${'x'.repeat(10_000)}`);
  expect(lastRequest().query).toHaveLength(10_000);
  const { status, json } = await ask(`?q=${'x'.repeat(20_000)}`);
  expect([status, json.code]).toEqual([431, 'METADATA_TOO_LARGE']);
});

test.each([
  ['?q=a&q=b', ['q']],
  ['?sort=newest&sort=oldest&page_token=a&page_token=b', ['sort', 'page_token']],
  ['?limit=ten&offset=-1', ['limit', 'offset']],
  ['?limit=1.5&offset=3000000000', ['limit', 'offset']],
  ['?limit=', ['limit']],
  ['?query=a&filters=b:c&page=2', ['query', 'filters', 'page']],
  ['?filter[]=a:b', ['filter[]']],
  ['?__proto__=1', ['__proto__']],
])('%s is refused by name, and nothing is asked', async (query, fields) => {
  const { status, json } = await ask(query);
  expect([status, json.code, json.errors.map(({ field }: { field: string }) => field).sort()]).toEqual([
    400,
    'INVALID_ARGUMENT',
    [...fields].sort(),
  ]);
  expect(search.calls).toEqual([]);
});

test('what the service refuses is told by the names of the parameters', async () => {
  const wrong = ['query', 'filters[0]', 'facets[1]', 'kinds[0]', 'limit', 'page_token', 'wait_for_id'];
  refuse('INVALID_ARGUMENT', 'x', { violations: wrong.map((field) => ({ field, description: 'is wrong' })) });
  const { status, json } = await ask('');
  expect([status, json.errors.map(({ field }: { field: string }) => field)]).toEqual([
    400,
    ['q', 'filter[0]', 'facet[1]', 'kind[0]', 'limit', 'page_token', 'wait_for_id'],
  ]);
  expect(json.detail).toContain('q: is wrong; filter[0]: is wrong');
});

test.each([
  ['SEARCH_UNAVAILABLE', 503, '3'],
  ['DATABASE_UNAVAILABLE', 503, '3'],
  ['OVERLOADED', 503, '3'],
  ['NOT_FINDABLE_YET', 504, null],
  ['PAGE_TOKEN_EXPIRED', 400, null],
  ['SCOPE_MISSING', 403, null],
] as const)('%s of the service is %i here', async (reason, expected, retryAfter) => {
  refuse(reason, 'why', retryAfter ? { retryAfterSeconds: 3 } : {});
  const { status, headers, json } = await ask('?q=a');
  expect([status, json.code, json.detail, headers.get('retry-after')]).toEqual([expected, reason, 'why', retryAfter]);
});

test('an answer that may be incomplete says so and why; one that is complete does not', async () => {
  search.search = () => ({ degraded: true, degradedReason: 'the search engine is away', totalCount: 10_000, totalCountIsLowerBound: true });
  expect((await ask('?q=a')).json).toMatchObject({
    degraded: true,
    degraded_reason: 'the search engine is away',
    total_count_is_lower_bound: true,
  });
  search.search = findNothing;
  expect(Object.keys((await ask('?q=a')).json)).toEqual(['results', 'total_count', 'query_time_ms', 'indexed_through_ms']);
});

test('without the scope nothing is asked, and the scope is named', async () => {
  const { status, headers, json } = await ask('?q=a', { authorization: `Bearer ${tokenFor('mail.read search.write')}` });
  expect([status, json.code, headers.get('www-authenticate')]).toEqual([
    403,
    'SCOPE_MISSING',
    'Bearer error="insufficient_scope", scope="search.read"',
  ]);
  expect(search.calls).toEqual([]);
});

test('a client that goes away cancels the search', async () => {
  const leaving = new AbortController();
  search.search = () => new Promise(() => undefined);
  const received = search.nextCall();
  const asked = fetch(`${fixture.url}/api/v1/search?wait_for_id=x`, {
    headers: { authorization: `Bearer ${tokenFor()}` },
    signal: leaving.signal,
  });
  await received;
  leaving.abort();
  await expect(asked).rejects.toThrow();
  await search.last.cancelled;
});

test('without search the gateway is ready, serves mail, and says 503 of searches', async () => {
  const alone = await new GatewayFixture().start({ GRPC_SEARCH_SERVICE_ADDR: '127.0.0.1:1' });
  const answers = await Promise.all(['/health/ready', '/api/v1/mail', '/api/v1/search?q=a'].map((path) => alone.ask(path)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 503]);
  const { json, headers } = answers[2]!;
  expect([json.code, json.results, headers.get('retry-after')]).toEqual(['SERVICE_UNAVAILABLE', undefined, '2']);
  await alone.stop();
});
