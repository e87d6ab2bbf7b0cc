import { Logger } from '@nestjs/common';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import { PlantedStore } from './event.fixture';
import type { EventStore } from './event.store';
import { EventTail } from './event.tail';
import { ReadEvents } from './read-events';
import { type EventBatch, WatchEvents } from './watch-events';

let store: PlantedStore;
let tail: EventTail;
let ending: AbortController;

beforeEach(() => {
  jest.useFakeTimers();
  Logger.overrideLogger(false);
  store = new PlantedStore();
  tail = new EventTail(store as unknown as EventStore);
  ending = new AbortController();
});
afterEach(() => {
  tail.onModuleDestroy();
  jest.useRealTimers();
});

interface Told {
  ms: number;
  cursors: number[];
  cursor: number;
}

/** Takes up all that a watch tells, with the time since its begin. */
function follow(query: Partial<Parameters<WatchEvents['watch']>[1]> = {}) {
  const watch = new WatchEvents(new ReadEvents(store as unknown as EventStore), tail);
  const told: Told[] = [];
  const began = Date.now();
  const take = ({ events, cursor }: EventBatch) =>
    told.push({ ms: Date.now() - began, cursors: events.map((event) => event.cursor), cursor });
  const ended = (async () => {
    for await (const batch of watch.watch('acme', { after: '', types: [], messageId: '', ...query }, ending.signal)) take(batch);
  })().then(
    () => undefined,
    (error: RuleError) => error,
  );
  return { told, ended };
}
const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

test('without events it is told every 15 s that there are none', async () => {
  const { told } = follow();
  await pass(45_000);
  expect(told.map(({ ms, cursors }) => [ms, cursors])).toEqual([0, 15_000, 30_000, 45_000].map((ms) => [ms, []]));
});

test('an event comes within a tenth of a second, and puts the next heartbeat off', async () => {
  const { told } = follow();
  await pass(10_050);
  store.add('email.sent');
  await pass(20_000);
  expect(told).toEqual([
    { ms: 0, cursors: [], cursor: 0 },
    { ms: 10_100, cursors: [1], cursor: 1 },
    { ms: 25_100, cursors: [], cursor: 1 },
  ]);
});

test('what a filter leaves out moves the cursor of the next answer', async () => {
  const { told } = follow({ types: ['email.bounced'] });
  await pass(1000);
  store.add('email.sent', 'email.sent');
  await pass(14_000);
  store.add('email.bounced');
  await pass(200);
  expect(told).toEqual([
    { ms: 0, cursors: [], cursor: 0 },
    { ms: 15_000, cursors: [], cursor: 2 },
    { ms: 15_100, cursors: [3], cursor: 3 },
  ]);
});

test('batches are bounded', async () => {
  store.add(...Array.from({ length: 450 }, () => 'email.sent'));
  const { told } = follow({ after: '0' });
  await pass(0);
  expect(told.map(({ cursors }) => cursors.length)).toEqual([0, 200, 200, 50]);
});

test.each(['UNAUTHENTICATED', 'SERVER_DRAINING'] as const)('%s ends it with the cursor, told and as a fact', async (reason) => {
  store.add('email.sent');
  const { told, ended } = follow({ after: '0' });
  await pass(1000);
  ending.abort(new RuleError(reason, 'why'));
  expect(await ended).toMatchObject({ reason, message: 'why', details: { facts: { cursor: '1' } } });
  expect(told.map(({ cursors }) => cursors)).toEqual([[], [1], []]);
});

test('a caller that is gone is told nothing more', async () => {
  const { told, ended } = follow();
  await pass(0);
  ending.abort(new RuleError('CANCELLED'));
  expect(await ended).toMatchObject({ reason: 'CANCELLED' });
  expect(told).toHaveLength(1);
  await pass(1000);
  expect(jest.getTimerCount()).toBe(0);
});

describe('the database is away', () => {
  test('for a while: heartbeats go on, and so does the watch', async () => {
    const { told } = follow();
    await pass(1000);
    store.failing = new RuleError('DATABASE_UNAVAILABLE');
    await pass(20_000);
    store.failing = undefined;
    store.add('email.sent');
    await pass(10_000);
    expect(told.map(({ ms, cursors }) => [ms, cursors])).toEqual([
      [0, []],
      [15_000, []],
      [21_100, [1]],
    ]);
  });

  test('more than once for a while, with good times between them: the watch goes on', async () => {
    const { told } = follow();
    await pass(0);
    for (let times = 0; times < 4; times++) {
      store.failing = new RuleError('DATABASE_UNAVAILABLE');
      await pass(20_000);
      store.failing = undefined;
      await pass(20_000);
    }
    expect(told.at(-1)!.ms).toBeGreaterThanOrEqual(150_000);
  });

  test('for more than half a minute: the watch ends, with the cursor', async () => {
    store.add('email.sent', 'email.sent');
    const { told, ended } = follow();
    await pass(1000);
    store.failing = new RuleError('DATABASE_UNAVAILABLE');
    await pass(60_000);
    expect(await ended).toMatchObject({ reason: 'DATABASE_UNAVAILABLE', details: { facts: { cursor: '2' } } });
    expect(told.at(-1)!.ms).toBeLessThanOrEqual(46_000);
    expect(told.at(-1)!.ms).toBeGreaterThan(31_000);
  });

  test('at its begin: there is no watch', async () => {
    store.failing = new RuleError('DATABASE_UNAVAILABLE');
    const { told, ended } = follow({ after: '1' });
    expect(await ended).toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    expect(told).toEqual([]);
  });
});
