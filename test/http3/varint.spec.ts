import { encodeVarint, readVarint } from './varint';

/** RFC 9000, appendix A.1. */
test.each([
  ['9d7f3e7d', 494_878_333],
  ['7bbd', 15_293],
  ['25', 37],
])('%s is %d, both ways', (hex, value) => {
  expect(readVarint(Buffer.from(hex, 'hex'), 0)).toEqual({ value, end: hex.length / 2 });
  expect(encodeVarint(value).toString('hex')).toBe(hex);
});

test('one that is written longer than it needs is read all the same', () => {
  expect(readVarint(Buffer.from('4025', 'hex'), 0)).toEqual({ value: 37, end: 2 });
});

test('one of 8 bytes is read from where it begins', () => {
  expect(readVarint(Buffer.from('ffc000000100000000', 'hex'), 1)).toEqual({ value: 2 ** 32, end: 9 });
});

test('the bounds of each length', () => {
  for (const [value, length] of [
    [0, 1],
    [63, 1],
    [64, 2],
    [16_383, 2],
    [16_384, 4],
    [2 ** 30 - 1, 4],
  ] as const) {
    expect(encodeVarint(value)).toHaveLength(length);
    expect(readVarint(encodeVarint(value), 0)?.value).toBe(value);
  }
});

test('one that has not come as a whole is not there yet', () => {
  expect(readVarint(Buffer.of(), 0)).toBeUndefined();
  expect(readVarint(Buffer.from('9d7f3e', 'hex'), 0)).toBeUndefined();
});

test('what needs more than 4 bytes is refused', () => {
  expect(() => encodeVarint(2 ** 30)).toThrow(RangeError);
  expect(() => encodeVarint(-1)).toThrow(RangeError);
});
