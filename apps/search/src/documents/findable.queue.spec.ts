import { callContext } from '@sky-genesis/grpc/call-context';
import { EngineUnavailableError } from '../engines/search.engine';
import { FakeEngine } from './engine.fixture';
import { FindableQueue } from './findable.queue';

const never = new AbortController().signal;

let engine: FakeEngine;
let queue: FindableQueue;
beforeEach(() => {
  engine = new FakeEngine();
  engine.instant = false;
  queue = new FindableQueue(engine);
});

const write = (tenant: string, id: string) =>
  engine.write([
    {
      change: 'index',
      document: { tenant, id, kind: 'document', title: '', content: '', url: '', attributes: {}, timestamp: 0, version: 1 },
    },
  ]);
const wait = (id: string, over: { tenant?: string; timeoutMs?: number; signal?: AbortSignal } = {}) =>
  queue.wait({ tenant: 'acme', kinds: ['document'], id, timeoutMs: 5000, signal: never, ...over });

test('ends when the document can be found, and asks for all that wait in one question', async () => {
  await write('acme', 'a');
  await write('acme', 'b');
  const waiting = [wait('a'), wait('b'), wait('a')];
  await new Promise(setImmediate);
  expect(engine.findableAsked).toEqual([{ tenant: 'acme', kinds: ['document'], ids: ['a', 'b'] }]);
  await engine.publish();
  await Promise.all(waiting);
  const asked = engine.findableAsked.length;
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(engine.findableAsked).toHaveLength(asked);
});

test('one that comes while others are asked for is asked for, too, and one after all were found', async () => {
  engine.instant = true;
  await write('acme', 'a');
  const absent = wait('absent', { timeoutMs: 300 });
  const failed = expect(absent).rejects.toMatchObject({ reason: 'NOT_FINDABLE_YET' });
  await new Promise(setImmediate);
  await wait('a');
  await failed;
  await wait('a');
});

test('absent and another tenant’s: the same questions, the same end, within the same time', async () => {
  engine.instant = true;
  await write('other', 'theirs');
  const began = performance.now();
  const errors = await Promise.all(['absent', 'theirs'].map((id) => wait(id, { timeoutMs: 150 }).catch((error: unknown) => error)));
  expect(performance.now() - began).toBeGreaterThanOrEqual(145);
  expect(errors[0]).toMatchObject({ reason: 'NOT_FINDABLE_YET', code: 'DEADLINE_EXCEEDED' });
  expect(errors[1]).toEqual(errors[0]);
  for (const { tenant, ids } of engine.findableAsked) expect([tenant, ids]).toEqual(['acme', ['absent', 'theirs']]);
});

test('an engine that is away ends the wait at once', async () => {
  engine.away = true;
  await expect(wait('a')).rejects.toThrow(EngineUnavailableError);
});

test('who has gone is waited for no longer', async () => {
  const gone = new AbortController();
  const waiting = wait('a', { signal: gone.signal });
  gone.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  await expect(wait('a', { signal: gone.signal })).rejects.toThrow('gone');
});

test('a tenant waits for a hundred at once, and for more when some have ended', async () => {
  const gone = new AbortController();
  const waiting = Array.from({ length: 100 }, (_, i) => wait(`doc_${i}`, { signal: gone.signal }).catch(() => undefined));
  await expect(wait('one more')).rejects.toMatchObject({ reason: 'OVERLOADED', details: { retryAfterSeconds: 1 } });
  const other = wait('theirs', { tenant: 'other', timeoutMs: 1 });
  await expect(other).rejects.toMatchObject({ reason: 'NOT_FINDABLE_YET' });
  gone.abort(new Error('gone'));
  await Promise.all(waiting);
  await expect(wait('one more', { timeoutMs: 1 })).rejects.toMatchObject({ reason: 'NOT_FINDABLE_YET' });
});

test('its questions are in no call, whichever call began to wait', async () => {
  const seen: unknown[] = [];
  const call = { requestId: 'a call', signal: never, deadline: 0 };
  queue = new FindableQueue({ findable: () => Promise.resolve(new Set(seen.push(callContext.getStore()) < 3 ? [] : ['a'])) });
  await callContext.run(call, () => wait('a'));
  expect(seen).toEqual([undefined, undefined, undefined]);
});
