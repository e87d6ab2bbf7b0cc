import { callContext } from '@sky-genesis/grpc/call-context';
import { GroupCommit, type GroupCommitLimits } from './group-commit';

interface Write {
  items: readonly string[];
  end(results?: readonly (string | Error)[]): void;
  fail(error: Error): void;
}

let writes: Write[];
let open: number;
let most: number;

const start = (over: Partial<GroupCommitLimits<string>> = {}) => {
  writes = [];
  open = most = 0;
  return new GroupCommit<string, string>(
    (items) => {
      most = Math.max(most, ++open);
      return new Promise((resolve, reject) => {
        writes.push({
          items,
          end: (results = items.map((item) => `${item} done`)) => resolve(results),
          fail: reject,
        });
      }).finally(() => open--) as Promise<(string | Error)[]>;
    },
    { maxItems: 3, maxBytes: 100, maxInFlight: 1, maxWaitingItems: 10, maxWaitingBytes: 1000, sizeOf: ({ length }) => length, ...over },
  );
};

/** What was given to each write so far. */
const batches = () => writes.map(({ items }) => items.join(''));
/** Lets everything run that is ready to. */
const settle = () => new Promise((resolve) => setImmediate(resolve));
const overloaded = expect.objectContaining({ reason: 'OVERLOADED', code: 'UNAVAILABLE', details: { retryAfterSeconds: 1 } });

test('a lone item is written at once, and gets its own result', async () => {
  const commits = start();
  const result = commits.submit('a');
  expect(batches()).toEqual(['a']);
  writes[0]?.end();
  expect(await result).toBe('a done');
});

test('where it gathers, what comes in one turn of the event loop is one batch', async () => {
  const commits = start({ gathers: true });
  const results = ['a', 'b'].map((item) => commits.submit(item));
  expect(batches()).toEqual([]);
  await settle();
  expect(batches()).toEqual(['ab']);
  writes[0]?.end();
  expect(await Promise.all(results)).toEqual(['a done', 'b done']);
});

test('what arrives while a batch is being written goes into the next, in order', async () => {
  const commits = start();
  const results = ['a', 'b', 'c', 'd', 'e'].map((item) => commits.submit(item));
  expect(batches()).toEqual(['a']);
  writes[0]?.end();
  await settle();
  expect(batches()).toEqual(['a', 'bcd']);
  writes[1]?.end();
  await settle();
  writes[2]?.end();
  expect(await Promise.all(results)).toEqual(['a done', 'b done', 'c done', 'd done', 'e done']);
  expect(batches()).toEqual(['a', 'bcd', 'e']);
});

test('a batch has its bound in bytes; a larger single item goes alone', async () => {
  const commits = start({ maxItems: 10 });
  const items = ['a', 'x'.repeat(60), 'y'.repeat(40), 'z'.repeat(1), 'w'.repeat(200), 'v'];
  const results = items.map((item) => commits.submit(item));
  for (let i = 0; i < 5; i++) {
    writes[i]?.end();
    await settle();
  }
  expect(writes.map(({ items: batch }) => batch.map(({ length }) => length))).toEqual([[1], [60, 40], [1], [200], [1]]);
  await Promise.all(results);
});

test('no more batches are under way than may be', async () => {
  const commits = start({ maxInFlight: 2, maxItems: 1 });
  const results = Array.from('abcdef', (item) => commits.submit(item));
  expect(batches()).toEqual(['a', 'b']);
  // The second ends first: the third begins, whichever that was.
  for (const i of [1, 2, 0, 3, 4, 5]) {
    writes[i]?.end();
    await settle();
  }
  expect(await Promise.all(results)).toEqual(Array.from('abcdef', (item) => `${item} done`));
  expect(most).toBe(2);
});

test('a bad item fails alone', async () => {
  const commits = start();
  const results = Promise.allSettled(['a', 'b', 'c', 'd'].map((item) => commits.submit(item)));
  writes[0]?.end();
  await settle();
  writes[1]?.end(['b done', new Error('c is bad'), 'd done']);
  expect((await results).map((result) => (result.status === 'fulfilled' ? result.value : (result.reason as Error).message))).toEqual([
    'a done',
    'b done',
    'c is bad',
    'd done',
  ]);
});

test('a write that fails fails its items, and no others', async () => {
  const commits = start();
  const results = Promise.allSettled(['a', 'b', 'c'].map((item) => commits.submit(item)));
  writes[0]?.fail(new Error('lost'));
  await settle();
  writes[1]?.end();
  expect(await results).toEqual([
    { status: 'rejected', reason: new Error('lost') },
    { status: 'fulfilled', value: 'b done' },
    { status: 'fulfilled', value: 'c done' },
  ]);
  const after = commits.submit('d');
  writes[2]?.end();
  expect(await after).toBe('d done');
});

test('an item whose caller has gone before its batch began is not written', async () => {
  const commits = start();
  const caller = new AbortController();
  const first = commits.submit('a', caller.signal);
  const gone = commits.submit('b', caller.signal);
  const stays = commits.submit('c');
  caller.abort(new Error('gone'));
  writes[0]?.end();
  await expect(gone).rejects.toThrow('gone');
  // What had begun goes on: it may be durable already.
  expect(await first).toBe('a done');
  expect(batches()).toEqual(['a', 'c']);
  writes[1]?.end();
  await stays;
});

test('where everyone has gone nothing is written, and it is idle', async () => {
  const commits = start();
  const first = commits.submit('a');
  const gone = Promise.allSettled(['b', 'c', 'd', 'e'].map((item) => commits.submit(item, AbortSignal.abort())));
  const idle = commits.whenIdle();
  writes[0]?.end();
  await first;
  expect((await gone).every(({ status }) => status === 'rejected')).toBe(true);
  await idle;
  expect(batches()).toEqual(['a']);
});

describe('what may wait is bounded', () => {
  test('in items', async () => {
    const commits = start({ maxWaitingItems: 2 });
    const results = ['a', 'b', 'c'].map((item) => commits.submit(item));
    await expect(commits.submit('d')).rejects.toEqual(overloaded);
    writes[0]?.end();
    await settle();
    const later = commits.submit('e');
    writes[1]?.end();
    await settle();
    writes[2]?.end();
    await Promise.all([...results, later]);
    expect(batches()).toEqual(['a', 'bc', 'e']);
  });

  test('in bytes; what has gone frees its own', async () => {
    const commits = start({ maxWaitingBytes: 10 });
    const first = commits.submit('a');
    const caller = new AbortController();
    const gone = commits.submit('x'.repeat(10), caller.signal);
    await expect(commits.submit('y')).rejects.toEqual(overloaded);
    caller.abort(new Error('gone'));
    writes[0]?.end();
    await Promise.all([first, expect(gone).rejects.toThrow('gone')]);
    const blocking = commits.submit('b');
    const later = ['v', 'w'].map((item) => commits.submit(item.repeat(5)));
    writes[1]?.end();
    await settle();
    writes[2]?.end();
    await Promise.all([blocking, ...later]);
    expect(batches()).toEqual(['a', 'b', 'vvvvvwwwww']);
  });

  test('an item larger than all that may wait is taken when nothing waits: it would never be otherwise', async () => {
    const commits = start({ maxWaitingBytes: 10 });
    const result = commits.submit('x'.repeat(11));
    writes[0]?.end();
    expect(await result).toHaveLength(16);
  });
});

test('idle is when nothing waits and nothing is being written', async () => {
  const commits = start();
  await commits.whenIdle();
  let idle = false;
  const results = ['a', 'b'].map((item) => commits.submit(item));
  const whenIdle = commits.whenIdle().then(() => (idle = true));
  writes[0]?.end();
  await settle();
  expect(idle).toBe(false);
  writes[1]?.fail(new Error('lost'));
  await whenIdle;
  await Promise.allSettled(results);
});

test.each([true, false])('a batch is in no call, whichever call began it (gathers: %p)', async (gathers) => {
  const seen: unknown[] = [];
  const write = async (items: readonly string[]) => {
    seen.push(callContext.getStore());
    await settle();
    seen.push(callContext.getStore());
    return items;
  };
  const limits = { maxItems: 3, maxBytes: 100, maxInFlight: 1, maxWaitingItems: 10, maxWaitingBytes: 100, sizeOf: () => 1, gathers };
  const commits = new GroupCommit<string, string>(write, limits);
  const call = { requestId: 'a call', signal: new AbortController().signal, deadline: 0 };
  await callContext.run(call, async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map((item) => commits.submit(item, call.signal)));
    expect(callContext.getStore()).toBe(call);
  });
  expect(seen).toEqual(seen.map(() => undefined));
  expect(seen.length).toBeGreaterThanOrEqual(4);
});
