import { bulkLine, chunksOf } from './bulk-write';

const line = (key: string, bytes: number) => bulkLine(key, 1, { content: 'x'.repeat(bytes) });

describe('chunks of a bulk request', () => {
  test('keep the order and lose none', () => {
    const lines = Array.from({ length: 2500 }, (_, i) => line(String(i), 10));
    const chunks = [...chunksOf(lines)];
    expect(chunks.map(({ length }) => length)).toEqual([1000, 1000, 500]);
    expect(chunks.flat()).toEqual(lines);
  });

  test('are bounded in bytes', () => {
    const chunks = [...chunksOf(Array.from({ length: 30 }, (_, i) => line(String(i), 1024 * 1024)))];
    expect(chunks.flat()).toHaveLength(30);
    for (const chunk of chunks) expect(Buffer.byteLength(chunk.map(({ source }) => source).join())).toBeLessThan(8 * 1024 * 1024);
  });

  test('one that is larger than a chunk goes alone', () => {
    expect([...chunksOf([line('a', 10), line('b', 20 * 1024 * 1024), line('c', 10)])].map(({ length }) => length)).toEqual([1, 1, 1]);
  });

  test('of nothing there are none', () => {
    expect([...chunksOf([])]).toEqual([]);
  });
});
