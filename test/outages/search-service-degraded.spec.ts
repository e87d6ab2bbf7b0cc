import { eventually } from '../eventually';
import { searchToken } from '../integration/search-service-client';
import { SearchServiceSystem } from '../integration/search-service-system';

let system: SearchServiceSystem;
beforeEach(async () => {
  system = await SearchServiceSystem.make();
});
afterEach(() => system.stop());

describe('without its engine', () => {
  const summary = {
    id: 'msg_1',
    from: 'a@example.com',
    to: ['b@example.com'],
    subject: 'Hello',
    snippet: 'text',
    timestamp: '1700000000',
    attachmentCount: 1,
    status: 'sent',
  };

  test('starts, answers for mail with the caller’s own token, says so, and goes on by pages', async () => {
    system.engine.away = true;
    await system.start();
    system.mail.listEmails = ({ pageToken }) =>
      pageToken === '' ? { emails: [summary], nextPageToken: 'more' } : { emails: [{ ...summary, id: 'msg_0' }] };
    const token = searchToken();
    const answer = await system.client.search({ query: 'from:a@example.com subject:hello', limit: 1 }, { token });
    expect(answer).toMatchObject({
      results: [
        {
          id: 'msg_1',
          kind: 'email',
          title: 'Hello',
          content: 'text',
          url: '/api/v1/mail/msg_1',
          score: 1,
          attributes: { from: { values: ['a@example.com'] }, to: { values: ['b@example.com'] }, status: { values: ['sent'] } },
        },
      ],
      degraded: true,
      degradedReason: expect.stringContaining('the search engine cannot be reached'),
      totalCount: 2,
      totalCountIsLowerBound: true,
      indexedThroughMs: '0',
    });
    expect(system.mail.last.metadata.get('authorization')).toEqual([`Bearer ${token}`]);
    expect(system.mail.last.request).toMatchObject({ from: 'a@example.com', subject: 'hello', pageSize: 1 });
    system.engine.away = false;
    const next = await system.client.search({ query: 'from:a@example.com subject:hello', limit: 1, pageToken: answer.nextPageToken });
    expect(next).toMatchObject({ results: [{ id: 'msg_0' }], totalCount: 2, totalCountIsLowerBound: false, degraded: true });
  });

  test.each<[string, object]>([
    ['words', { query: 'hello' }],
    ['documents', { kinds: ['document'] }],
    ['facets', { facets: ['status'] }],
    ['the oldest first', { sort: 'oldest' }],
    ['a deep offset', { offset: 200 }],
    ['a document to wait for', { waitForId: 'doc_1' }],
  ])('%s cannot be answered from mail: the answer is an error, and when to come again', async (_what, request) => {
    await system.start();
    system.engine.away = true;
    const error = await system.client.refusal(system.client.search(request));
    expect(error).toMatchObject({ reason: 'SEARCH_UNAVAILABLE', code: 'UNAVAILABLE' });
    expect(error.details.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(error.details.retryAfterSeconds).toBeLessThanOrEqual(5);
  });

  test('a token without mail.read, and mail away as well: no answer', async () => {
    await system.start();
    system.engine.away = true;
    const noMail = { token: searchToken({ scope: 'search.read' }) };
    expect(await system.client.refusal(system.client.search({}, noMail))).toMatchObject({ reason: 'SEARCH_UNAVAILABLE' });
    system.mail.stop();
    expect(await system.client.refusal(system.client.search({}))).toMatchObject({ reason: 'SEARCH_UNAVAILABLE' });
  });

  test('writes say that they can be sent again; a search that is gone on with waits for its engine', async () => {
    await system.start();
    for (const id of ['a', 'b']) await system.client.index({ id, title: 'word' });
    const { nextPageToken: pageToken } = await system.client.search({ limit: 1 });
    system.engine.away = true;
    expect(await system.client.refusal(system.client.index({ id: 'a' }))).toMatchObject({ reason: 'SEARCH_UNAVAILABLE' });
    expect(await system.client.refusal(system.client.delete({ id: 'a' }))).toMatchObject({ reason: 'SEARCH_UNAVAILABLE' });
    expect(await system.client.refusal(system.client.search({ pageToken }))).toMatchObject({ reason: 'SEARCH_UNAVAILABLE' });
  });

  test('serves while it can answer something, and again once the engine is there', async () => {
    system.engine.away = true;
    await system.start();
    const ready = async () => {
      const response = await fetch(`${system.search.healthUrl}/health/ready`);
      return { status: response.status, body: (await response.json()) as { details: { search: object } } };
    };
    expect(await system.client.servingStatus()).toBe('SERVING');
    expect(await ready()).toMatchObject({ status: 200, body: { details: { search: { status: 'up', engine: 'down', mail: 'up' } } } });
    system.mail.serving = false;
    await eventually(
      () => system.client.servingStatus(),
      (status) => status === 'NOT_SERVING',
    );
    expect(await ready()).toMatchObject({ status: 503, body: { details: { search: { status: 'down', engine: 'down', mail: 'down' } } } });
    expect((await fetch(`${system.search.healthUrl}/health/live`)).status).toBe(200);
    system.engine.away = false;
    await eventually(
      () => system.client.servingStatus(),
      (status) => status === 'SERVING',
    );
    expect(system.engine.prepared).toBe(1);
    const metrics = await (await fetch(`${system.search.healthUrl}/metrics`)).text();
    for (const name of [
      'search_engine_up',
      'search_searches_total',
      'search_documents_written_total',
      'search_duration_seconds',
      'search_index_lag_seconds',
    ])
      expect(metrics).toContain(`# TYPE ${name} `);
    expect(metrics).toMatch(/search_engine_up\{engine="postgres"\} 1/);
  });
});
