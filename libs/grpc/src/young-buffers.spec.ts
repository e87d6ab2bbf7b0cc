import { bytesPassed, countedBytes, countedRequests } from './young-buffers';

const EVERY = 2 ** 21;
const before = globalThis.gc;
const collect = jest.fn();

beforeEach(() => {
  globalThis.gc = collect;
  // Whatever was counted before is over.
  bytesPassed(EVERY);
  collect.mockClear();
});
afterAll(() => void (globalThis.gc = before));

test('what is young is collected once for each 2 MiB, however it passes', async () => {
  bytesPassed(EVERY - 1);
  expect(collect).not.toHaveBeenCalled();
  bytesPassed(1);
  expect(collect.mock.calls).toEqual([[{ type: 'minor', execution: 'sync' }]]);
  const chunks = Array.from({ length: 8 }, (_, i) => ({ data: Buffer.alloc(EVERY / 4, i) }));
  expect(await Array.fromAsync(countedBytes(chunks as unknown as AsyncIterable<(typeof chunks)[0]>))).toEqual(chunks);
  expect(collect).toHaveBeenCalledTimes(3);
});

test('requests are counted as they are asked for, and left while one is waited for', async () => {
  let left = false;
  const waiting = {
    next: jest
      .fn()
      .mockResolvedValueOnce({ done: false, value: { data: Buffer.alloc(EVERY) } })
      .mockReturnValue(new Promise(() => undefined)),
    return: async () => ({ done: (left = true), value: undefined }),
  };
  const counted = countedRequests({ [Symbol.asyncIterator]: () => waiting })[Symbol.asyncIterator]();
  await counted.next();
  expect(collect).toHaveBeenCalledTimes(1);
  void counted.next();
  await counted.return?.();
  expect(left).toBe(true);
});

test('without --expose-gc nothing is collected', () => {
  globalThis.gc = undefined;
  bytesPassed(EVERY);
  expect(collect).not.toHaveBeenCalled();
});
