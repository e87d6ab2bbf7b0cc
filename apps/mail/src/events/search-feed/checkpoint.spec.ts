import { formatCheckpoint, isIndexLost, parseCheckpoint } from './checkpoint';

test('a checkpoint is read as it was written', () => {
  const checkpoint = { rebuilds: 3, throughMs: 1_764_000_000_123 };
  expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
});

test.each(['', 'x', '1', '1:', ':1', '1:2:3', '-1:2', '1:2e3', `1:${'9'.repeat(20)}`])('%j is none', (text) => {
  expect(parseCheckpoint(text)).toBeUndefined();
});

test.each([
  ['nothing was ever claimed', '', '', 0, false],
  ['the same is kept', '0:5', '0:5', 0, false],
  ['the feed ended before it knew that its claim is kept', '0:6', '0:5', 0, false],
  ['the same while everything is read again', '0:5', '0:5', 1, false],
  ['the first claim after a rebuild', '1:6', '0:5', 1, false],
  ['the index is empty', '', '0:5', 0, true],
  ['the index is older', '0:4', '0:5', 0, true],
  ['the index is from before a rebuild', '0:9', '1:5', 1, true],
  ['the index has seen rebuilds that never were', '2:9', '1:5', 1, true],
  ['something else is kept', 'x', '0:5', 0, true],
])('lost or not: %s', (_what, kept, claimed, rebuilds, lost) => {
  expect(isIndexLost(kept, claimed, rebuilds)).toBe(lost);
});
