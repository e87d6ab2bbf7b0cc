import { once } from 'node:events';
import type { Caller } from './caller';
import { OpenStreams } from './open-streams';

const NOW = 1_800_000_000;
const caller = (expiresInSeconds = Infinity, tenant = 'acme'): Caller => ({
  subject: 'alice',
  tenant,
  scopes: new Set(),
  senders: [],
  expiresAt: NOW + expiresInSeconds,
});
const call = () => new AbortController();
const open = (streams: OpenStreams, from = caller()) => streams.open(from, call().signal);

beforeEach(() => void jest.useFakeTimers({ now: NOW * 1000 }));
afterEach(() => jest.useRealTimers());

describe('the bound per tenant', () => {
  test('is told when it is met, and holds for each tenant by itself', () => {
    const streams = new OpenStreams(2);
    open(streams);
    open(streams);
    expect(() => open(streams)).toThrow(
      expect.objectContaining({ reason: 'TOO_MANY_STREAMS', message: 'the tenant has 2 open streams, which is as many as it may have' }),
    );
    expect(open(streams, caller(Infinity, 'other')).signal.aborted).toBe(false);
  });

  test('a stream that is closed gives its place back, once', () => {
    const streams = new OpenStreams(1);
    const first = open(streams);
    first.close();
    const second = open(streams);
    first.close();
    expect(() => open(streams)).toThrow('1 open streams');
    second.close();
    open(streams);
  });

  test('a stream that has ended keeps its place until it is closed', () => {
    const streams = new OpenStreams(1);
    const ended = open(streams, caller(1));
    jest.advanceTimersByTime(1000);
    expect(ended.signal.aborted).toBe(true);
    expect(() => open(streams)).toThrow('1 open streams');
    ended.close();
    open(streams);
  });
});

describe('the token', () => {
  test('ends the stream with UNAUTHENTICATED when it expires, and not before', () => {
    const { signal } = open(new OpenStreams(1), caller(60));
    jest.advanceTimersByTime(59_999);
    expect(signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(signal.reason).toMatchObject({ reason: 'UNAUTHENTICATED', message: 'the token expired' });
  });

  test('one that has expired already ends it at once', () => {
    expect(open(new OpenStreams(1), caller(-1)).signal.reason).toMatchObject({ reason: 'UNAUTHENTICATED' });
  });

  test('one that lasts longer than a timer can wait does not end it at once', () => {
    const days = 60 * 24 * 3600;
    const { signal } = open(new OpenStreams(1), caller(days));
    jest.advanceTimersByTime(days * 1000 - 1);
    expect(signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(signal.aborted).toBe(true);
  });

  test('a caller without one has no end', () => {
    const { signal } = open(new OpenStreams(1));
    jest.advanceTimersByTime(2 ** 33);
    expect(signal.aborted).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('of a closed stream is no longer waited for', () => {
    const streams = new OpenStreams(1);
    const { signal, close } = open(streams, caller(60));
    close();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(60_000);
    expect(signal.aborted).toBe(false);
  });
});

test('the end of the call ends the stream, with its reason', async () => {
  const streams = new OpenStreams(2);
  const ending = call();
  const { signal } = streams.open(caller(), ending.signal);
  const ended = once(signal, 'abort');
  ending.abort(new Error('gone'));
  await ended;
  expect(signal.reason).toMatchObject({ message: 'gone' });
  expect(streams.open(caller(), ending.signal).signal.aborted).toBe(true);
});

test('drain ends the streams of all tenants with SERVER_DRAINING, and those opened later', () => {
  const streams = new OpenStreams(2);
  const before = [open(streams), open(streams), open(streams, caller(Infinity, 'other'))];
  streams.drain();
  before[0]!.close();
  for (const { signal } of [...before, open(streams)]) expect(signal.reason).toMatchObject({ reason: 'SERVER_DRAINING' });
});
