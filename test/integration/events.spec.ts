import { randomUUID } from 'node:crypto';
import type { EmailEvent, ListEventsResponse } from '@sky-genesis/proto';
import { eventually } from '../eventually';
import { EventWatcher } from './event-watcher';
import { plantEvents } from './planted-events';
import { TestSystem, token } from './test-system';

let system: TestSystem;
const watchers: EventWatcher[] = [];

beforeAll(async () => {
  system = await TestSystem.start();
}, 30_000);
afterAll(() => system?.stop());
afterEach(() => {
  for (const watcher of watchers.splice(0)) watcher.close();
});

/** Tests share a database, and have a tenant each. */
let tenant = '';
let bearer = '';
beforeEach(() => {
  tenant = `t${randomUUID()}`;
  bearer = token({ tenant });
});

const watch = async (request: ConstructorParameters<typeof EventWatcher>[1] = {}, as = bearer) => {
  const watcher = await EventWatcher.opened(system.grpcUrl, request, as);
  watchers.push(watcher);
  return watcher;
};
const list = (request: object, as = bearer) => system.grpc<ListEventsResponse>('listEvents', request, { token: as });
const send = async () =>
  (await system.rest('POST', '/api/v1/mail/send', { body: { to: ['x@example.com'], body: 'b' }, token: bearer })).body;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const cursorsOf = ({ events }: { events: EmailEvent[] }) => events.map(({ cursor }) => Number(cursor));

test('what becomes of a mail comes by both RPCs, in order, as it happens', async () => {
  const watcher = await watch();
  expect(watcher.batches).toEqual([{ events: [], cursor: '0' }]);
  const before = Date.now();
  const { message_id: messageId } = await send();
  const events = await watcher.until(2);
  const about = { messageId, id: expect.stringMatching(/^evt_[0-9a-f-]{36}$/) };
  expect(events).toEqual([
    { ...about, cursor: '1', type: 'email.queued', status: 'queued', recipient: '', detail: '', occurredAtMs: expect.any(String) },
    {
      ...about,
      cursor: '2',
      type: 'email.sent',
      status: 'sent',
      recipient: 'x@example.com',
      detail: expect.stringContaining('250'),
      occurredAtMs: expect.any(String),
    },
  ]);
  expect(Number(events[0]!.occurredAtMs)).toBeGreaterThanOrEqual(before);
  expect(Number(events[1]!.occurredAtMs)).toBeLessThanOrEqual(Date.now());
  expect(await list({ after: '0' })).toEqual({ events, cursor: '2', hasMore: false });
});

test('an empty `after` is from now on, and 0 from the first kept, on both', async () => {
  await plantEvents(system.database, 3, { tenant });
  expect(await list({})).toEqual({ events: [], cursor: '3', hasMore: false });
  expect(cursorsOf(await list({ after: '0' }))).toEqual([1, 2, 3]);
  const [fromNow, fromFirst] = [await watch(), await watch({ after: '0' })];
  await plantEvents(system.database, 1, { tenant });
  await Promise.all([fromNow.until(1), fromFirst.until(4)]);
  expect(fromNow.batches[0]).toEqual({ events: [], cursor: '3' });
  expect([fromNow.cursors, fromFirst.cursors]).toEqual([[4], [1, 2, 3, 4]]);
});

test('pages join without gap or overlap, and say whether there is more', async () => {
  await plantEvents(system.database, 25, { tenant });
  const pages: ListEventsResponse[] = [];
  for (let after = '0'; pages.at(-1)?.hasMore !== false; after = pages.at(-1)!.cursor) pages.push(await list({ after, pageSize: 10 }));
  expect(pages.map(({ cursor, hasMore }) => [cursor, hasMore])).toEqual([
    ['10', true],
    ['20', true],
    ['25', false],
  ]);
  expect(pages.flatMap(cursorsOf)).toEqual(range(1, 25));
  expect(cursorsOf(await list({ after: '0', pageSize: 25 }))).toHaveLength(25);
});

test('a watch that was cut goes on from its cursor: nothing twice, nothing left out', async () => {
  await plantEvents(system.database, 700, { tenant });
  const first = await watch({ after: '0' });
  await first.until(200);
  first.close();
  const seen = first.cursors;
  await plantEvents(system.database, 300, { tenant });
  const second = await watch({ after: first.cursor });
  await eventually(
    () => second.cursor,
    (cursor) => cursor === '1000',
  );
  expect([...seen, ...second.cursors]).toEqual(range(1, 1000));
});

describe('filters', () => {
  test('by type and by mail, alone and together', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    for (const emailId of [one, other]) {
      for (const type of ['email.queued', 'email.deferred', 'email.sent']) await plantEvents(system.database, 1, { tenant, type, emailId });
    }
    const found = async (filter: object) => cursorsOf(await list({ after: '0', ...filter }));
    expect(await found({ types: ['email.sent', 'email.queued'] })).toEqual([1, 3, 4, 6]);
    expect(await found({ messageId: `msg_${other}` })).toEqual([4, 5, 6]);
    expect(await found({ messageId: other.toUpperCase(), types: ['email.sent'] })).toEqual([6]);
    expect(await found({ messageId: randomUUID() })).toEqual([]);
    const watcher = await watch({ after: '0', messageId: one, types: ['email.deferred', 'email.sent'] });
    await watcher.until(2);
    expect([watcher.cursors, watcher.cursor]).toEqual([[2, 3], '6']);
  });

  test('what they leave out is passed by: a read is bounded, and the cursor moves', async () => {
    await plantEvents(system.database, 25_000, { tenant });
    const emailId = randomUUID();
    await plantEvents(system.database, 1, { tenant, type: 'email.bounced', emailId });
    const types = ['email.bounced'];
    const pages = [await list({ after: '0', types })];
    while (pages.at(-1)!.hasMore) pages.push(await list({ after: pages.at(-1)!.cursor, types }));
    expect(pages.map(({ events, cursor, hasMore }) => [events.length, cursor, hasMore])).toEqual([
      [0, '10000', true],
      [0, '20000', true],
      [1, '25001', false],
    ]);
    expect(await list({ after: '0', messageId: emailId })).toMatchObject({ events: [{ cursor: '25001' }], hasMore: false });
    const watcher = await watch({ after: '0', types });
    expect(await watcher.until(1)).toMatchObject([{ cursor: '25001', type: 'email.bounced' }]);
  });

  test('a mail with more events than one read looks at is read to its end', async () => {
    const emailId = randomUUID();
    await plantEvents(system.database, 10_500, { tenant, emailId });
    await plantEvents(system.database, 1, { tenant, emailId, type: 'email.sent' });
    const query = { messageId: emailId, types: ['email.sent'] };
    const page = await list({ after: '0', ...query });
    expect(page).toEqual({ events: [], cursor: '10000', hasMore: true });
    expect(await list({ after: page.cursor, ...query })).toMatchObject({ events: [{ cursor: '10501' }], hasMore: false });
  });
});

test('events are seen by their own tenant only', async () => {
  await plantEvents(system.database, 3, { tenant });
  const emailId = randomUUID();
  await plantEvents(system.database, 1, { tenant, emailId });
  const other = token({ tenant: `t${randomUUID()}` });
  const watcher = await watch({ after: '0' }, other);
  expect(await list({ after: '0', messageId: emailId }, other)).toEqual({ events: [], cursor: '0', hasMore: false });
  await plantEvents(system.database, 1, { tenant });
  const own = await watch({ after: '4' });
  await own.until(1);
  expect([watcher.events, watcher.cursor]).toEqual([[], '0']);
});

describe('what is wrong is told by its field', () => {
  test.each([
    ['after', { after: 'x' }],
    ['after', { after: '-1' }],
    ['after', { after: '01' }],
    ['after', { after: '1.5' }],
    ['after', { after: '9007199254740992' }],
    ['after', { after: '99999999999999999999' }],
    ['after', { after: '4' }],
    ['types[1]', { after: '0', types: ['email.sent', 'email.snet'] }],
    ['message_id', { messageId: 'msg_1' }],
    ['page_size', { pageSize: -1 }],
    ['page_size', { pageSize: 1001 }],
  ])('%s in %j', async (field, request: Parameters<typeof watch>[0] & { pageSize?: number }) => {
    await plantEvents(system.database, 3, { tenant });
    const refused = { code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT', details: { violations: [{ field }] } };
    expect(await system.grpcError('listEvents', request, { token: bearer })).toMatchObject(refused);
    if (field === 'page_size') return;
    const watcher = await watch(request);
    expect([watcher.batches, watcher.error]).toEqual([[], expect.objectContaining({ code: 'INVALID_ARGUMENT' })]);
    expect(watcher.error).toMatchObject(refused);
  });

  test('types in more than there are', async () => {
    const error = await system.grpcError('listEvents', { types: Array.from({ length: 33 }, () => 'email.sent') });
    expect(error.details.violations).toEqual([{ field: 'types', description: 'must be at most 32' }]);
  });

  test('all of it at once', async () => {
    const error = await system.grpcError('listEvents', { after: 'x', types: ['y'], messageId: 'z', pageSize: -1 });
    expect(error.details.violations?.map(({ field }) => field)).toEqual(['page_size', 'after', 'types[0]', 'message_id']);
  });

  test('a token without the scope', async () => {
    const without = token({ tenant, scope: 'mail.send mail.read' });
    expect((await watch({}, without)).error).toMatchObject({ reason: 'SCOPE_MISSING' });
    expect(await system.grpcError('listEvents', {}, { token: without })).toMatchObject({ reason: 'SCOPE_MISSING' });
  });
});
