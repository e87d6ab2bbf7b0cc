import { eventually } from '../eventually';
import { embeddedSearch } from './test-search';
import { TestSystem, token } from './test-system';

let system: TestSystem;
beforeAll(async () => {
  system = await TestSystem.start({}, { search: embeddedSearch() });
}, 60_000);
afterAll(() => system?.stop());

interface Found {
  results: {
    id: string;
    title: string;
    content: string;
    url: string;
    score: number;
    kind: string;
    highlights?: string[];
    attributes?: Record<string, string[]>;
    timestamp?: number;
  }[];
  total_count: number;
  query_time_ms: number;
  indexed_through_ms: number;
  facets?: { field: string; values: { value: string; count: number }[] }[];
}

async function send(own: string, mail: object): Promise<string> {
  const { status, body } = await system.rest('POST', '/api/v1/mail/send', { token: own, body: mail });
  expect(status).toBe(202);
  return String(body.message_id);
}

async function search(own: string, query: Record<string, string | string[]>): Promise<Found> {
  const parameters = Object.entries(query).flatMap(([name, values]) => [values].flat().map((value): [string, string] => [name, value]));
  const { status, body } = await system.rest('GET', `/api/v1/search?${new URLSearchParams(parameters).toString()}`, { token: own });
  expect([query, status]).toEqual([query, 200]);
  return body as unknown as Found;
}

const idsOf = ({ results }: Found) => results.map(({ id }) => id).sort();

test('three mails are sent, and a search that waits for the last finds them with score, highlights and facets', async () => {
  const own = token({ tenant: 'three' });
  const began = Date.now();
  const ids = [
    await send(own, { to: ['alice@example.com'], subject: 'Budget of the observatory', body: 'The telescope costs more than planned.' }),
    await send(own, {
      to: ['bob@example.com'],
      cc: ['carol@example.com'],
      subject: 'Lunch',
      html_body: '<p>After the <b>observatory</b> visit?</p><script>steal()</script>',
    }),
    await send(own, {
      to: ['alice@example.com'],
      subject: 'Re: observatory',
      body: 'See the attachment.',
      attachments: [{ filename: 'budget.pdf', content_type: 'application/pdf', content: Buffer.from('pdf').toString('base64') }],
      metadata: { order: '4711' },
    }),
  ];
  const answer = await search(own, { q: 'observatory', wait_for_id: ids[2]!, facet: ['to', 'has_attachment', 'kind'] });
  expect([idsOf(answer), answer.total_count]).toEqual([[...ids].sort(), 3]);
  // Those that have it in their title come before the one that has it in its content.
  expect(answer.results[2]!.id).toBe(ids[1]);
  for (const { id, kind, score, url, highlights, timestamp } of answer.results) {
    expect([kind, url, highlights?.some((each) => /<mark>observatory<\/mark>/i.test(each))]).toEqual(['email', `/api/v1/mail/${id}`, true]);
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThanOrEqual(1);
    expect(timestamp! * 1000).toBeGreaterThan(began - 2000);
  }
  expect(answer.results[2]).toMatchObject({ title: 'Lunch', content: expect.stringContaining('After the observatory visit?') });
  expect(JSON.stringify(answer)).not.toContain('steal');
  expect(answer.facets).toEqual([
    {
      field: 'to',
      values: [
        { value: 'alice@example.com', count: 2 },
        { value: 'bob@example.com', count: 1 },
      ],
    },
    {
      field: 'has_attachment',
      values: [
        { value: 'false', count: 2 },
        { value: 'true', count: 1 },
      ],
    },
    { field: 'kind', values: [{ value: 'email', count: 3 }] },
  ]);

  for (const [query, expected] of [
    ['to:alice', [ids[0], ids[2]]],
    ['cc:carol@example.com', [ids[1]]],
    ['from:sender@example.com', ids],
    ['has:attachment', [ids[2]]],
    ['filename:budget.pdf', [ids[2]]],
    ['subject:budget', [ids[0]]],
    ['body:telescope', [ids[0]]],
    ['observatory -lunch', [ids[0], ids[2]]],
    ['larger:1M', []],
    ['smaller:1M', ids],
  ] as const) {
    expect([query, idsOf(await search(own, { q: query }))]).toEqual([query, [...expected].sort()]);
  }
  expect(idsOf(await search(own, { filter: 'metadata.order:4711' }))).toEqual([ids[2]]);
  // What is found is a mail that can be read.
  expect((await system.rest('GET', answer.results[0]!.url, { token: own })).body).toMatchObject({ id: answer.results[0]!.id });
});

test('what an answer says of its freshness grows, and what was accepted before can be found', async () => {
  const own = token({ tenant: 'fresh' });
  const id = await send(own, { to: ['alice@example.com'], subject: 'Fresh' });
  const accepted = Date.now();
  const { indexed_through_ms: through } = await eventually(
    () => search(own, {}),
    (found) => found.indexed_through_ms >= accepted,
  );
  expect(through).toBeLessThanOrEqual(Date.now());
  expect(idsOf(await search(own, {}))).toEqual([id]);
});

test('the status of a mail follows what becomes of it', async () => {
  const own = token({ tenant: 'status' });
  const sent = await send(own, { to: ['alice@example.com'], subject: 'Now' });
  const later = await send(own, { to: ['alice@example.com'], subject: 'Later', send_at: Math.floor(Date.now() / 1000) + 3600 });
  await eventually(
    async () => [idsOf(await search(own, { q: 'is:sent' })), idsOf(await search(own, { filter: 'status:scheduled' }))],
    ([isSent, isScheduled]) => isSent?.join() === sent && isScheduled?.join() === later,
  );
  await system.rest('POST', `/api/v1/mail/${later}/cancel`, { token: own });
  await eventually(
    () => search(own, { q: 'is:canceled', facet: 'status' }),
    (found) => idsOf(found).join() === later,
  );
  expect((await search(own, { facet: 'status' })).facets![0]!.values.map(({ value }) => value).sort()).toEqual(['canceled', 'sent']);
});

test("the seed's document is found by the seed's request, beside mails", async () => {
  const own = token({ tenant: 'seed' });
  await send(own, { to: ['alice@example.com'], subject: 'Something else' });
  const document = { title: 'Enterprise Architecture', content: 'Enterprise architecture overview...', url: '/docs/architecture' };
  const put = await system.rest('PUT', '/api/v1/search/documents/doc_1', { token: own, body: document });
  expect([put.status, put.body]).toEqual([201, { id: 'doc_1', status: 'created' }]);
  await search(own, { wait_for_id: 'doc_1' });
  const answer = await search(own, { q: 'enterprise', limit: '10', offset: '0' });
  expect(answer).toMatchObject({ results: [{ id: 'doc_1', ...document }], total_count: 1 });
  expect([typeof answer.results[0]!.score, typeof answer.total_count, typeof answer.query_time_ms]).toEqual(['number', 'number', 'number']);
});
