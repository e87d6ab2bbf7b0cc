import { partBytesFor, tailKey, tailKeys, toUpload, uploadedBytes } from './s3-upload';

const MIB = 2 ** 20;

test.each([
  [1, 8 * MIB],
  [5 * 2 ** 30, 8 * MIB],
  [80_000 * MIB, 8 * MIB],
  [80_000 * MIB + 1, 9 * MIB],
  [5 * 2 ** 40, 525 * MIB],
])('a file of %i bytes is in parts of %i, and 10,000 of them at most', (maxBytes, partBytes) => {
  expect(partBytesFor(maxBytes)).toBe(partBytes);
  expect(Math.ceil(maxBytes / partBytes)).toBeLessThanOrEqual(10_000);
});

test('an upload goes on with the parts that it was begun with', () => {
  const upload = { uploadId: 'u', partBytes: 9 * MIB, parts: ['"a"', '"b"'], tail: 5 };
  expect(toUpload(upload, 8 * MIB)).toEqual(upload);
  expect(uploadedBytes(upload)).toBe(18 * MIB + 5);
  expect(toUpload({}, 8 * MIB)).toEqual({ partBytes: 8 * MIB, parts: [], tail: 0 });
});

test('a tail is named by the part that it will become', () => {
  expect(tailKey('p/key', 0)).toBe('p/key.tail.1');
  expect(tailKey('p/key', 12)).toBe('p/key.tail.13');
  expect(tailKey('p/key', 3).startsWith(tailKeys('p/key'))).toBe(true);
});
