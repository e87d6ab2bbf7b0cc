import { randomUUID } from 'node:crypto';
import type { ListEventsResponse } from '@sky-genesis/proto';
import { DataSource } from 'typeorm';
import { DatabaseClient, dataSourceOptions } from '@sky-genesis/database';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { EventRetentionWorker } from '../../apps/mail/src/events/event-retention.worker';
import { EventStore } from '../../apps/mail/src/events/event.store';
import { EventWatcher } from './event-watcher';
import { plantEvents } from './planted-events';
import { TestSystem, token } from './test-system';

let system: TestSystem;
let dataSource: DataSource;
const watchers: EventWatcher[] = [];

beforeAll(async () => {
  system = await TestSystem.start();
  const settings = { DATABASE_URL: system.database.url, DATABASE_POOL_SIZE: 8, GRPC_TIMEOUT: 30 };
  dataSource = await new DataSource(dataSourceOptions(mailDatabase(settings))).initialize();
}, 30_000);
afterAll(async () => {
  await dataSource?.destroy();
  await system?.stop();
});
afterEach(() => {
  for (const watcher of watchers.splice(0)) watcher.close();
});

let tenant = '';
let bearer = '';
beforeEach(() => {
  tenant = `t${randomUUID()}`;
  bearer = token({ tenant });
});

const forget = (days = 30) => new EventRetentionWorker(new EventStore(new DatabaseClient(dataSource)), days).forget();
const plant = (count: number, daysAgo = 0) => plantEvents(system.database, count, { tenant, daysAgo });
const list = (request: object) => system.grpc<ListEventsResponse>('listEvents', request, { token: bearer });
const watch = async (after: string) => {
  const watcher = await EventWatcher.opened(system.grpcUrl, { after }, bearer);
  watchers.push(watcher);
  return watcher;
};
const kept = async (of = tenant) => {
  const rows = await system.database.query<{ cursor: string }>('select cursor from event where tenant = $1 order by cursor', [of]);
  return rows.map(({ cursor }) => Number(cursor));
};
const OLD = 31;
const YOUNG = 29;
const outOfRange = (first: number) => ({
  code: 'OUT_OF_RANGE',
  reason: 'CURSOR_OUT_OF_RANGE',
  message: expect.stringContaining(`the first kept is ${first}`),
  details: { facts: { first_cursor: String(first) } },
});

test('what is older than the days is forgotten, the rest is kept, whatever its tenant', async () => {
  const other = `t${randomUUID()}`;
  await plantEvents(system.database, 2, { tenant: other, daysAgo: YOUNG });
  await plant(5200, OLD);
  await plant(3, YOUNG);
  await forget();
  expect([await kept(), await kept(other)]).toEqual([
    [5201, 5202, 5203],
    [1, 2],
  ]);
});

test('an older cursor is OUT_OF_RANGE on both RPCs, naming the first that is kept; 0 begins there', async () => {
  await plant(5, OLD);
  await plant(2);
  await forget();
  for (const after of ['1', '4']) {
    expect(await system.grpcError('listEvents', { after }, { token: bearer })).toMatchObject(outOfRange(6));
    const refused = await watch(after);
    expect(refused.batches).toEqual([]);
    expect(refused.error).toMatchObject(outOfRange(6));
  }
  for (const after of ['0', '5']) {
    expect((await list({ after })).events.map(({ cursor }) => cursor)).toEqual(['6', '7']);
    const watcher = await watch(after);
    await watcher.until(2);
    expect([watcher.batches[0], watcher.cursors]).toEqual([{ events: [], cursor: '5' }, [6, 7]]);
  }
});

test('where all are forgotten, the next is the first, and the last cursor is still good', async () => {
  await plant(5, OLD);
  await forget();
  expect(await system.grpcError('listEvents', { after: '4' }, { token: bearer })).toMatchObject(outOfRange(6));
  const watcher = await watch('5');
  expect(await list({ after: '0' })).toEqual({ events: [], cursor: '5', hasMore: false });
  await plant(1);
  await watcher.until(1);
  expect(watcher.cursors).toEqual([6]);
});

test('a filter does not hide that events are missing', async () => {
  await plant(5, OLD);
  await plant(1);
  await forget();
  for (const filter of [{ types: ['email.sent'] }, { messageId: randomUUID() }]) {
    expect(await system.grpcError('listEvents', { after: '2', ...filter }, { token: bearer })).toMatchObject(outOfRange(6));
  }
});

test('a watcher that is overtaken is told so, instead of a gap', async () => {
  await plantEvents(system.database, 3000, { tenant, daysAgo: OLD, detail: 'x'.repeat(512) });
  const watcher = new EventWatcher(system.grpcUrl, { after: '0' }, bearer);
  watchers.push(watcher);
  await watcher.until(1);
  watcher.pause();
  const seen = Number(watcher.cursor);
  await forget();
  await plant(1);
  watcher.resume();
  const { reason, details } = await watcher.ended();
  expect(reason).toBe('CURSOR_OUT_OF_RANGE');
  const cursor = Number(watcher.cursor);
  expect(cursor).toBeGreaterThanOrEqual(seen);
  expect(watcher.cursors).toEqual(Array.from({ length: cursor }, (_, i) => i + 1));
  // Some of what is being forgotten may be kept still when it looks.
  expect(Number(details.facts!.first_cursor)).toBeGreaterThan(cursor + 1);
});

test('never one in the middle: an old one behind a younger one waits for it', async () => {
  await plant(2, OLD);
  await plant(1, YOUNG);
  await plant(2, OLD);
  await forget();
  expect(await kept()).toEqual([3, 4, 5]);
  await forget(28);
  expect(await kept()).toEqual([]);
});

test('several processes do it at once, and readers see a beginning that moves, and no hole', async () => {
  await plant(6000, OLD);
  await plant(10);
  let forgetting = true;
  const forgotten = Promise.all([forget(), forget(), forget()]).finally(() => (forgetting = false));
  while (forgetting) {
    const cursors = await kept();
    expect(cursors).toEqual(Array.from({ length: cursors.length }, (_, i) => 6010 - cursors.length + 1 + i));
  }
  await forgotten;
  expect(await kept()).toHaveLength(10);
});
