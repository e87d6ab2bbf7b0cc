import { eventually } from '../eventually';
import { searchToken } from './search-service-client';
import { SearchServiceSystem } from './search-service-system';

let system: SearchServiceSystem;
beforeEach(async () => {
  system = await SearchServiceSystem.make();
});
afterEach(() => system.stop());

const ids = async (request: object, settings = {}) => (await system.client.search(request, settings)).results.map(({ id }) => id);
const other = { token: searchToken({ tenant: 'other' }) };

describe('answers', () => {
  beforeEach(() => system.start());

  test('a document is indexed, found with all that it has, replaced and deleted', async () => {
    const document = {
      id: 'doc_1',
      title: 'Enterprise Architecture',
      content: 'how it is built',
      url: '/docs/architecture',
      attributes: { team: { values: ['core', 'web'] } },
      timestamp: '1700000000',
    };
    await expect(system.client.index(document)).resolves.toEqual({ id: 'doc_1', status: 'created' });
    const answer = await system.client.search({ query: 'architecture', facets: ['team'] });
    expect(answer).toMatchObject({
      results: [{ ...document, score: 1, kind: 'document' }],
      totalCount: 1,
      totalCountIsLowerBound: false,
      nextPageToken: '',
      facets: [{ field: 'team', values: expect.arrayContaining([{ value: 'core', count: '1' }]) }],
      indexedThroughMs: '0',
      degraded: false,
      degradedReason: '',
    });
    expect(answer.queryTimeMs).toBeGreaterThan(0);
    await expect(system.client.index({ ...document, title: 'Other' })).resolves.toMatchObject({ status: 'updated' });
    await expect(system.client.index({ ...document, version: '1' })).resolves.toMatchObject({ status: 'unchanged' });
    await expect(system.client.delete({ id: 'doc_1' })).resolves.toEqual({ deleted: true });
    await expect(system.client.delete({ id: 'doc_1' })).resolves.toEqual({ deleted: false });
    expect(await ids({ query: 'other' })).toEqual([]);
  });

  test('tenants, and emails, are seen by who may see them', async () => {
    await system.client.index({ id: 'shared', title: 'secret' });
    await system.client.index({ id: 'shared', title: 'secret of the other' }, other);
    await system.client.index({ id: 'msg_1', title: 'secret mail' }, { service: 'mail', tenant: 'acme' });
    expect(await ids({ query: 'secret' })).toEqual(['msg_1', 'shared']);
    expect(await ids({ query: 'secret' }, other)).toEqual(['shared']);
    const noMail = { token: searchToken({ scope: 'search.read' }) };
    expect(await ids({ query: 'secret' }, noMail)).toEqual(['shared']);
    expect(await system.client.refusal(system.client.search({ query: 'secret', kinds: ['email'] }, noMail))).toMatchObject({
      reason: 'SCOPE_MISSING',
    });
    expect(await ids({ query: 'secret', kinds: ['email'] })).toEqual(['msg_1']);
  });

  test('everything wrong is named at once', async () => {
    const error = await system.client.refusal(
      system.client.search({
        query: '(',
        filters: ['nothing'],
        limit: 101,
        offset: 10_001,
        sort: 'best',
        kinds: ['file'],
        facets: ['a b'],
        waitForId: '\n',
      }),
    );
    expect(error.reason).toBe('INVALID_ARGUMENT');
    expect(error.details.violations?.map(({ field }) => field).sort()).toEqual(
      ['facets[0]', 'filters[0]', 'kinds[0]', 'limit', 'offset', 'query', 'sort', 'wait_for_id'].sort(),
    );
    expect(error.details.violations?.find(({ field }) => field === 'offset')?.description).toContain('page_token');
  });

  test('ids of the product, tenants and sources are not for callers', async () => {
    for (const id of ['msg_1', 'file_1', 'evt_1']) {
      const fields = async (call: Promise<unknown>) => (await system.client.refusal(call)).details.violations?.map(({ field }) => field);
      expect(await fields(system.client.index({ id }))).toEqual(['document.id']);
      expect(await fields(system.client.delete({ id }))).toEqual(['id']);
    }
    expect(await system.client.refusal(system.client.index({ id: 'a' }, { tenant: 'other' }))).toMatchObject({ reason: 'SERVICES_ONLY' });
    expect(await system.client.refusal(system.client.delete({ id: 'a', tenant: 'acme' }))).toMatchObject({ reason: 'SERVICES_ONLY' });
    const stream = await system.client.stream();
    stream.send({ source: 'mail', checkpoint: '1', throughMs: '1' });
    expect(await stream.ended).toMatchObject({ reason: 'SERVICES_ONLY' });
    expect(await system.client.refusal(system.client.index({ id: 'a' }, { service: 'mail' }))).toMatchObject({
      details: { violations: [expect.objectContaining({ field: 'tenant' })] },
    });
    expect(await system.client.refusal(system.client.search({}, { service: 'mail' }))).toMatchObject({ reason: 'SCOPE_MISSING' });
  });

  test('wait_for_id: one’s own write; absent, another’s and unseen ones fail alike, after the same time', async () => {
    system.engine.instant = false;
    await system.client.index({ id: 'mine', title: 'word' });
    await system.client.index({ id: 'theirs', title: 'word' }, other);
    await system.client.index({ id: 'msg_1', title: 'word' }, { service: 'mail', tenant: 'acme' });
    const waiting = system.client.search({ query: 'word', waitForId: 'mine' });
    await eventually(
      () => system.engine.findableAsked.length,
      (asked) => asked > 0,
    );
    await system.engine.publish();
    expect((await waiting).results.map(({ id }) => id)).toContain('mine');
    const noMail = searchToken({ scope: 'search.read' });
    const outcomes = await Promise.all(
      ['theirs', 'absent', 'msg_1'].map(async (id) => {
        const began = performance.now();
        const { reason, message } = await system.client.refusal(
          system.client.search({ waitForId: id }, { timeoutMs: 1500, token: noMail }),
        );
        return { reason, message, ms: performance.now() - began };
      }),
    );
    expect(outcomes[0]).toMatchObject({ reason: 'NOT_FINDABLE_YET' });
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ reason: outcomes[0]!.reason, message: outcomes[0]!.message });
      expect(Math.abs(outcome.ms - outcomes[0]!.ms)).toBeLessThan(300);
    }
  });
});

describe('page tokens', () => {
  const three = async () => {
    for (const id of ['a', 'b', 'c']) await system.client.index({ id, title: 'word' });
  };

  test('go on to the end, in every process with the key; not for another search or tenant, nor altered', async () => {
    const key = Buffer.alloc(32, 7).toString('base64url');
    await system.start({ PAGE_TOKEN_KEY: key });
    await three();
    const first = await system.client.search({ query: 'word', limit: 2 });
    expect(first.results.map(({ id }) => id)).toEqual(['a', 'b']);
    const { nextPageToken: pageToken } = first;
    const second = await system.client.search({ query: 'word', limit: 2, pageToken, offset: 5 });
    expect(second.results.map(({ id }) => id)).toEqual(['c']);
    expect(second.nextPageToken).toBe('');
    const wrong: [object, { token?: string }][] = [
      [{ query: 'word', pageToken }, other],
      [{ query: 'words', pageToken }, {}],
      [{ query: 'word', pageToken: `${pageToken.slice(0, -2)}AA` }, {}],
      [{ query: 'word', pageToken: 'none' }, {}],
      [{ query: 'word', pageToken }, { token: searchToken({ scope: 'search.read' }) }],
    ];
    for (const [request, settings] of wrong) {
      expect((await system.client.refusal(system.client.search(request, settings))).details.violations).toEqual([
        { field: 'page_token', description: 'must be the next_page_token of an answer to the same search' },
      ]);
    }
  });

  test('expire, by time and when the engine has lost the position', async () => {
    await system.start();
    await three();
    const { nextPageToken: pageToken } = await system.client.search({ query: 'word', limit: 2 });
    await system.client.delete({ id: 'b' });
    expect(await system.client.refusal(system.client.search({ query: 'word', pageToken }))).toMatchObject({ reason: 'PAGE_TOKEN_EXPIRED' });
    const { nextPageToken: later } = await system.client.search({ query: 'word', limit: 1 });
    const now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now + 299_000);
    try {
      expect(await ids({ query: 'word', pageToken: later }, { token: searchToken({}, 3600), timeoutMs: 10_000 })).toEqual(['c']);
      jest.spyOn(Date, 'now').mockImplementation(() => now + 301_000);
      const error = await system.client.refusal(
        system.client.search({ query: 'word', pageToken: later }, { token: searchToken({}, 3600) }),
      );
      expect(error).toMatchObject({ reason: 'PAGE_TOKEN_EXPIRED' });
    } finally {
      jest.restoreAllMocks();
    }
  });
});
