import { bytesPassed, countedBytes } from './young-buffers';

const MEBIBYTE = 2 ** 20;
const before = globalThis.gc;
const collect = jest.fn();

beforeEach(() => {
  globalThis.gc = collect;
  // Whatever was counted before is over.
  bytesPassed(MEBIBYTE);
  collect.mockClear();
});
afterAll(() => void (globalThis.gc = before));

test('what is young is collected once for each MiB, however it passes', async () => {
  bytesPassed(MEBIBYTE - 1);
  expect(collect).not.toHaveBeenCalled();
  bytesPassed(1);
  expect(collect.mock.calls).toEqual([[{ type: 'minor', execution: 'sync' }]]);
  const chunks = Array.from({ length: 8 }, (_, i) => ({ data: Buffer.alloc(MEBIBYTE / 4, i) }));
  expect(await Array.fromAsync(countedBytes(chunks as unknown as AsyncIterable<(typeof chunks)[0]>))).toEqual(chunks);
  expect(collect).toHaveBeenCalledTimes(3);
});

test('without --expose-gc nothing is collected', () => {
  globalThis.gc = undefined;
  bytesPassed(MEBIBYTE);
  expect(collect).not.toHaveBeenCalled();
});
