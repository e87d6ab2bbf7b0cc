import { Logger } from '@nestjs/common';
import { callContext } from '@sky-genesis/grpc/call-context';
import { PlantedStore } from './event.fixture';
import type { EventStore } from './event.store';
import { EventTail } from './event.tail';

let store: PlantedStore;
let tail: EventTail;
beforeEach(() => {
  jest.useFakeTimers();
  store = new PlantedStore();
  tail = new EventTail(store as unknown as EventStore);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

const never = new AbortController().signal;
const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const settled = async (waiting: Promise<boolean>) => Promise.race([waiting, Promise.resolve('waits')]);

test('those who have read all are woken when there is more, by one question for all of them', async () => {
  store.add('email.sent');
  const waiting = [tail.moved('a', 1, 5000, never), tail.moved('a', 1, 5000, never), tail.moved('b', 1, 5000, never)];
  const ahead = tail.moved('a', 2, 5000, never);
  await pass(1000);
  expect(store.asked).toBe(10);
  store.add('email.sent');
  await pass(100);
  expect(await Promise.all(waiting)).toEqual([true, true, true]);
  expect(await settled(ahead)).toBe('waits');
  await pass(5000);
  expect(await ahead).toBe(false);
});

test('who has not read all is woken by the next question', async () => {
  store.add('email.sent');
  const waiting = tail.moved('a', 0, 5000, never);
  await pass(100);
  expect(await waiting).toBe(true);
});

test('nobody waits, nothing is asked', async () => {
  const waiting = tail.moved('a', 0, 250, never);
  await pass(10_000);
  expect(await waiting).toBe(false);
  expect(store.asked).toBeLessThanOrEqual(3);
  expect(jest.getTimerCount()).toBe(0);
});

test('a wait ends with its signal, and leaves nothing behind', async () => {
  const ending = new AbortController();
  const waiting = tail.moved('a', 0, 5000, ending.signal);
  ending.abort();
  expect(await waiting).toBe(false);
  expect(await tail.moved('a', 0, 5000, ending.signal)).toBe(false);
  await pass(100);
  expect(jest.getTimerCount()).toBe(0);
});

test('a database that is away is asked on, and told of once', async () => {
  const [warn, log] = [jest.spyOn(Logger.prototype, 'warn').mockReturnValue(), jest.spyOn(Logger.prototype, 'log').mockReturnValue()];
  const waiting = tail.moved('a', 0, 60_000, never);
  await pass(300);
  store.failing = new Error('away');
  await pass(5000);
  expect([tail.away, warn.mock.calls.length, log.mock.calls.length]).toEqual([true, 1, 0]);
  store.failing = undefined;
  store.add('email.sent');
  await pass(100);
  expect([await waiting, tail.away, log.mock.calls.length]).toEqual([true, false, 1]);
});

test('its questions are in no call, whichever call began to wait', async () => {
  // Only those of Node carry a context.
  jest.useRealTimers();
  const seen: unknown[] = [];
  store.lastOf = () => Promise.resolve(seen.push(callContext.getStore()) < 3 ? [] : [{ tenant: 'a', last: 1 }]);
  const call = { requestId: 'a call', signal: never, deadline: 0 };
  expect(await callContext.run(call, () => tail.moved('a', 0, 10_000, never))).toBe(true);
  expect(seen).toEqual([undefined, undefined, undefined]);
});
