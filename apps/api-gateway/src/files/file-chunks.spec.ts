import { setImmediate } from 'node:timers/promises';
import { fileChunks, type PartOfFile } from './file-chunks';

const PART: PartOfFile = { fileId: 'file_1', offset: 0, totalSize: 0, isWhole: () => true };

async function* contentOf(...pieces: number[]): AsyncGenerator<Buffer> {
  for (const bytes of pieces) {
    await setImmediate();
    yield Buffer.alloc(bytes, 'x');
  }
}
async function chunksOf(content: AsyncIterable<Buffer>, part: Partial<PartOfFile> = {}) {
  const found = [];
  for await (const chunk of fileChunks(content, { ...PART, ...part })) found.push(chunk);
  return found;
}
const toldOf = (chunks: { offset: string; data: Uint8Array; last: boolean }[]) =>
  chunks.map(({ offset, data, last }) => [Number(offset), data.length, last]);

test('small pieces go together, large ones apart, and the last is last', async () => {
  expect(toldOf(await chunksOf(contentOf(100_000, 100_000, 100_000, 7, 600_000)))).toEqual([
    [0, 262_144, false],
    [262_144, 37_856, false],
    [300_000, 262_144, false],
    [562_144, 262_144, false],
    [824_288, 75_719, false],
    [900_007, 0, true],
  ]);
});

test('what is said of the whole is said once', async () => {
  const chunks = await chunksOf(contentOf(300_000), { offset: 5, totalSize: 300_005, atomic: true });
  expect(chunks.map(({ fileId, offset, totalSize, atomic, commit }) => [fileId, offset, totalSize, atomic, commit])).toEqual([
    ['file_1', '5', '300005', true, false],
    ['', '262149', '0', false, false],
    ['', '300005', '0', false, true],
  ]);
});

test.each<[string, number[], boolean, unknown[]]>([
  ['nothing', [], true, [[0, 0, true]]],
  ['nothing that is not the end', [], false, [[0, 0, false]]],
  ['a piece that is not the end', [3], false, [[0, 3, false]]],
  ['a message that is not the end', [262_144], false, [[0, 262_144, false]]],
])('%s is a chunk', async (_, pieces, whole, expected) => {
  expect(toldOf(await chunksOf(contentOf(...pieces), { isWhole: () => whole }))).toEqual(expected);
});

test('a piece that has waited for long does not wait for more', async () => {
  let now = 1_000_000;
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => now);
  const slow = (async function* () {
    for await (const piece of contentOf(1, 1, 1)) {
      now += 600;
      yield piece;
    }
  })();
  expect(toldOf(await chunksOf(slow))).toEqual([
    [0, 2, false],
    [2, 1, true],
  ]);
  clock.mockRestore();
});

test('an error of the content is told, and is not taken for its end', async () => {
  const broken = (async function* () {
    yield Buffer.from('x');
    throw new Error('gone');
  })();
  await expect(chunksOf(broken)).rejects.toThrow('gone');
});
