import { randomUUID } from 'node:crypto';
import type { SearchResponse } from '@sky-genesis/proto';
import { eventually } from '../eventually';
import { embeddedSearch } from './test-search';
import { TestSystem, token } from './test-system';

/** From a sent mail to the answer of a search: the real mail, the real feed, the real search on the embedded engine. */
let system: TestSystem;
let bearer = '';

beforeAll(async () => {
  system = await TestSystem.start({}, { search: embeddedSearch() });
}, 60_000);
afterAll(() => system?.stop());
beforeEach(() => {
  bearer = token({ tenant: `t${randomUUID()}` });
});

const send = async (email: object): Promise<string> => {
  const request = { email: { from: 'Ann <sender@example.com>', to: ['bob@example.com'], subject: 's', body: 'b', ...email } };
  return (await system.grpc<{ messageId: string }>('submitEmail', request, { token: bearer })).messageId;
};
const search = (query: object) => system.grpc<SearchResponse>('search', query, { token: bearer, service: 'search' });
const ids = ({ results }: SearchResponse) => results.map(({ id }) => id).sort();

test('a mail is found by what is in it, soon after it is accepted, and by nobody else', async () => {
  await send({ subject: 'warm up' });
  await eventually(
    () => search({ query: 'warm' }),
    ({ totalCount }) => totalCount === 1,
  );
  const sentAt = Date.now();
  const id = await send({ subject: 'Quarterly report', body: 'the zebra has stripes', to: ['Carl <carl@example.com>'] });
  const found = await search({ query: 'zebra', waitForId: id });
  const tookMs = Date.now() - sentAt;
  expect(ids(found)).toEqual([id]);
  expect(found.results[0]).toMatchObject({ title: 'Quarterly report', url: `/api/v1/mail/${id}`, kind: 'email' });
  // Some 300 ms on a machine of its own: a poll, a turn, a write. Here others work, too.
  expect(tookMs).toBeLessThan(5000);
  for (const query of ['to:carl', 'from:ann stripes', 'subject:quarterly', '-has:attachment zebra'])
    expect([query, ids(await search({ query }))]).toEqual([query, [id]]);
  const other = token({ tenant: `t${randomUUID()}` });
  const elsewhere = await system.grpc<SearchResponse>('search', { query: 'zebra' }, { token: other, service: 'search' });
  expect(elsewhere.totalCount).toBe(0);
});

test('its status follows what becomes of it', async () => {
  const id = await send({ subject: 'to be sent' });
  const found = await eventually(
    () => search({ query: 'is:sent' }),
    ({ totalCount }) => totalCount > 0,
  );
  expect(ids(found)).toEqual([id]);
});

test('what is said to be found is found', async () => {
  const sent: { id: string; at: number }[] = [];
  for (let i = 0; i < 40; i++) {
    const id = await send({ subject: `number ${i}` });
    sent.push({ id, at: Date.now() });
    const answer = await search({ query: '', sort: 'newest', limit: 100 });
    const found = new Set(ids(answer));
    const through = Number(answer.indexedThroughMs);
    expect(sent.filter(({ id: of, at }) => at <= through && !found.has(of))).toEqual([]);
  }
  const last = sent.at(-1)!;
  const answer = await eventually(
    () => search({ query: '', limit: 100 }),
    ({ indexedThroughMs }) => Number(indexedThroughMs) >= last.at,
  );
  expect(answer.totalCount).toBe(40);
});
