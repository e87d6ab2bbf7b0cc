import { type CaseToken, documents, scopesOf, searchCases } from '../search-cases';
import { changeCases } from '../search-change-cases';
import {
  type AskOptions,
  changeOn,
  expectChange,
  expectSearch,
  grpcRefusal,
  outcomeOf,
  RestWire,
  searchOn,
  type SearchWire,
  toContract,
} from '../search-wires';
import { embeddedSearch } from './test-search';
import { TestSystem, token } from './test-system';

/** Each wire has a tenant of its own: what one puts is not there for the other. */
const tokenOf = (tenant: string, which: CaseToken): string | null => (which === 'none' ? null : token({ tenant, scope: scopesOf[which] }));

let system: TestSystem;
let rest: RestWire;
let grpc: SearchWire;
beforeAll(async () => {
  system = await TestSystem.start({ MAIL_WORKER: 'false', SEARCH_FEED: 'false' }, { search: embeddedSearch() });
  rest = new RestWire(({ method, path, body, headers, token: which }) =>
    system.rest(method, path, { token: tokenOf('rest', which), headers, ...(body !== undefined && { body }) }),
  );
  const ask = async (method: string, request: object, { token: which, timeoutMs = 20_000 }: AskOptions) =>
    system.grpc<Record<string, unknown>>(method, request, { service: 'search', token: tokenOf('grpc', which), timeoutMs });
  grpc = {
    search: (asked, options) => ask('search', asked, options).then(outcomeOf, grpcRefusal),
    index: (document, options) =>
      ask('indexDocument', { document: toContract(document) }, options).then(({ status }) => ({ answer: status as string }), grpcRefusal),
    remove: (deletion, options) =>
      ask('deleteDocument', deletion, options).then(({ deleted }) => ({ answer: deleted as boolean }), grpcRefusal),
  };
  for (const wire of [grpc, rest]) {
    for (const document of documents) expect(await wire.index(document, OWN)).toEqual({ answer: 'created' });
    for (const { id } of documents) await wire.search({ waitForId: id }, OWN);
  }
}, 60_000);
afterAll(() => system?.stop());

const OWN: AskOptions = { token: 'own', timeoutMs: undefined };

test.each(searchCases)('a search: $what', async (each) => {
  const [byGrpc, byRest] = await Promise.all([searchOn(grpc, each), searchOn(rest, each)]);
  expectSearch(each, byGrpc, byRest);
});

// In order: a change builds on the one before.
test.each(changeCases)('a change: $what', async (each) => {
  const [byGrpc, byRest] = await Promise.all([changeOn(grpc, each), changeOn(rest, each)]);
  expectChange(each, byGrpc, byRest);
});

test('pages go on alike, to the end, and nothing comes twice', async () => {
  const all = async (wire: SearchWire) => {
    const ids: string[] = [];
    for (let pageToken = '', page = 0; page < 10; page++) {
      const answer = await wire.search({ sort: 'oldest', limit: 2, ...(pageToken && { pageToken }) }, OWN);
      ids.push(...answer.results!.map(({ id }) => id));
      if (!answer.goesOn) return ids;
      pageToken = answer.pageToken!;
    }
    throw new Error('it does not end');
  };
  const ids = documents.map(({ id }) => id);
  expect([await all(grpc), await all(rest)]).toEqual([ids, ids]);
});

test('a page token is good for the same search only, on both wires', async () => {
  for (const wire of [grpc, rest]) {
    const { pageToken } = await wire.search({ sort: 'oldest', limit: 2 }, OWN);
    const other = await wire.search({ sort: 'newest', limit: 2, pageToken: pageToken! }, OWN);
    expect([other.reason, other.fields]).toEqual(['INVALID_ARGUMENT', ['page_token']]);
  }
});

test("the seed's request has the seed's JSON, with what is new beside it", async () => {
  const own = tokenOf('rest', 'own');
  const { body } = await system.rest('GET', '/api/v1/search?q=%22enterprise+architecture%22&limit=10&offset=0', { token: own });
  expect(body).toEqual({
    results: [
      {
        id: 'doc_1',
        title: 'Enterprise Architecture',
        content: 'Enterprise architecture overview...',
        url: '/docs/architecture',
        score: expect.any(Number),
        kind: 'document',
        highlights: expect.arrayContaining([expect.stringContaining('<mark>')]),
        attributes: { department: ['it'], pages: ['12'], tags: ['overview', 'architecture'] },
        timestamp: 1640995200,
      },
    ],
    total_count: 1,
    query_time_ms: expect.any(Number),
    indexed_through_ms: expect.any(Number),
  });
  const [{ score }] = body.results as [{ score: number }];
  expect(score).toBeGreaterThan(0);
  expect(score).toBeLessThanOrEqual(1);
});
