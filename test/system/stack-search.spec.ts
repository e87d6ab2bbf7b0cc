import { sharedElasticsearch } from '../shared-elasticsearch';
import { eventually } from '../eventually';
import { type RestAnswer, TestStack } from '../stack';

const MAILS = [
  { to: ['alice@example.com'], subject: 'Quarterly figures', body: 'The figures of the third quarter.' },
  { to: ['bob@example.com'], subject: 'Lunch', body: 'No figures today, only lunch.' },
  { to: ['alice@example.com', 'carol@example.com'], subject: 'Figures again', body: 'Corrected: <b>figures</b> & tables.' },
];
const DOCUMENT = { title: 'Enterprise Architecture', content: 'Enterprise architecture overview...', url: '/docs/architecture' };

interface Result {
  id: string;
  score: number;
  highlights: string[];
}

const ELASTICSEARCH_INDEX_PREFIX = `stack-search-${process.pid}`;

const onElasticsearch = async (): Promise<Record<string, string>> => ({
  ELASTICSEARCH_URL: await sharedElasticsearch(),
  ELASTICSEARCH_INDEX_PREFIX,
});

/** The server is shared by all suites of a run. */
async function removeIndices(): Promise<void> {
  const url = await sharedElasticsearch();
  for (const what of ['', '_index_template/']) await fetch(`${url}/${what}${ELASTICSEARCH_INDEX_PREFIX}*`, { method: 'DELETE' });
}

describe.each(['postgres', 'elasticsearch'] as const)('npm start, searching with %s', (engine) => {
  let stack: TestStack;
  const ids: string[] = [];

  beforeAll(async () => {
    stack = await TestStack.started(engine === 'elasticsearch' ? await onElasticsearch() : {});
  }, 300_000);

  afterAll(async () => {
    await stack.remove();
    if (engine === 'elasticsearch') await removeIndices();
  }, 60_000);

  const search = (parameters: string): Promise<RestAnswer> => stack.rest('GET', `/api/v1/search?${parameters}`);
  const idsOf = ({ body }: RestAnswer): string[] => (body['results'] as Result[]).map(({ id }) => id);

  test('three mails are found at once by who waits for the last, with score, highlights and facets', async () => {
    for (const mail of MAILS) ids.push(String((await stack.rest('POST', '/api/v1/mail/send', mail)).body['message_id']));
    const answer = await search(`q=figures&facet=to&facet=kind&wait_for_id=${ids[2]}`);
    expect(answer.status).toBe(200);
    const { results, facets, ...rest } = answer.body;
    expect(rest).toMatchObject({ total_count: 3, query_time_ms: expect.any(Number), indexed_through_ms: expect.any(Number) });
    // In the title it counts more than in the content.
    expect(idsOf(answer).toSorted()).toEqual(ids.toSorted());
    expect(idsOf(answer).at(-1)).toBe(ids[1]);
    for (const { score, highlights } of results as Result[]) {
      expect(score).toBeGreaterThan(0);
      expect(score).toBeLessThanOrEqual(1);
      expect(highlights.join()).toMatch(/<mark>figures<\/mark>/i);
    }
    expect((results as Result[]).find(({ id }) => id === ids[2])?.highlights.join()).not.toContain('<b>');
    expect(facets).toEqual([
      {
        field: 'to',
        values: [
          { value: 'alice@example.com', count: 2 },
          { value: 'bob@example.com', count: 1 },
          { value: 'carol@example.com', count: 1 },
        ],
      },
      { field: 'kind', values: [{ value: 'email', count: 3 }] },
    ]);
  });

  test('the seed’s request gets the seed’s answer', async () => {
    const put = await stack.rest('PUT', '/api/v1/search/documents/doc_1', DOCUMENT);
    expect([200, 201]).toContain(put.status);
    const { body } = await eventually(
      () => search('q=enterprise&limit=10&offset=0'),
      (answer) => answer.body['total_count'] === 1,
    );
    expect(body).toMatchObject({ results: [{ id: 'doc_1', ...DOCUMENT, score: expect.any(Number) }], total_count: 1 });
    expect(body['query_time_ms']).toEqual(expect.any(Number));
    const [{ score }] = body['results'] as [Result];
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThanOrEqual(1);
  });

  test('what becomes of a mail can be filtered by', async () => {
    const sent = await eventually(
      () => search('filter=status:sent&filter=to:bob@example.com'),
      (answer) => answer.body['total_count'] === 1,
    );
    expect(idsOf(sent)).toEqual([ids[1]]);
  });

  test('search that is killed is started again, and the gateway stays ready meanwhile', async () => {
    const { pids, urls } = stack.description;
    process.kill(pids.search ?? 0, 'SIGKILL');
    await eventually(
      async () => {
        expect((await fetch(`${urls.gateway}/health/ready`)).status).toBe(200);
        return stack.description.pids.search;
      },
      (pid) => pid !== pids.search,
      60_000,
    );
    expect(stack.shown).toMatch(/search ended \(SIGKILL\)/);
    const answer = await eventually(
      () => search('q=figures'),
      ({ status, body }) => status === 200 && body['degraded'] !== true,
    );
    expect(idsOf(answer).toSorted()).toEqual(ids.toSorted());
  }, 90_000);

  test('what was found is found after an orderly end and a new start', async () => {
    expect(await stack.end()).toBe(0);
    await stack.start();
    expect(idsOf(await search('q=figures')).toSorted()).toEqual(ids.toSorted());
    expect(idsOf(await search('q=enterprise'))).toEqual(['doc_1']);
  }, 120_000);
});
