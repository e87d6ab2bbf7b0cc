import { BodyBudget } from './body-budget';
import { NdjsonLines } from './ndjson-lines';

const budget = new BodyBudget(100);
const linesOf = (...chunks: string[]) => {
  const lines = new NdjsonLines(20, budget);
  const found = [...chunks.flatMap((chunk) => [...lines.push(Buffer.from(chunk))]), ...lines.end()];
  for (const { heldBytes } of found) budget.giveBack(heldBytes);
  return found.map(({ number, content }) => [number, Buffer.isBuffer(content) ? content.toString() : content.reason]);
};
/** Whatever was done, nothing of the budget is missing. */
afterEach(() => {
  budget.take(1);
  expect(budget.take(99)).toBe(true);
  budget.giveBack(100);
});

test.each<[string, string[], [number, string][]]>([
  [
    'lines of one chunk',
    ['a\nb\n'],
    [
      [1, 'a'],
      [2, 'b'],
    ],
  ],
  [
    'a last line without an end',
    ['a\nb'],
    [
      [1, 'a'],
      [2, 'b'],
    ],
  ],
  [
    'a line over many chunks',
    ['a', 'b', 'c\nd', 'e\n'],
    [
      [1, 'abc'],
      [2, 'de'],
    ],
  ],
  [
    'blank lines, which are counted',
    ['\n \r\na\r\n\n\nb'],
    [
      [3, 'a\r'],
      [6, 'b'],
    ],
  ],
  ['nothing', [''], []],
  [
    'a line as long as may be',
    ['x'.repeat(20), '\ny\n'],
    [
      [1, 'x'.repeat(20)],
      [2, 'y'],
    ],
  ],
  [
    'a line that is too long in one chunk',
    [`a\n${'x'.repeat(21)}\nb\n`],
    [
      [1, 'a'],
      [2, 'MESSAGE_TOO_LARGE'],
      [3, 'b'],
    ],
  ],
  [
    'a line that is too long over chunks',
    ['x'.repeat(15), 'x'.repeat(15), 'x'.repeat(15), '\nb\n'],
    [
      [1, 'MESSAGE_TOO_LARGE'],
      [2, 'b'],
    ],
  ],
  ['a last line that is too long', ['x'.repeat(15), 'x'.repeat(15)], [[1, 'MESSAGE_TOO_LARGE']]],
])('%s', (_, chunks, expected) => expect(linesOf(...chunks)).toEqual(expected));

test('a line for which the server has no room is refused alone', () => {
  budget.take(95);
  expect(linesOf('abcdefgh', '\nb\n')).toEqual([
    [1, 'OVERLOADED'],
    [2, 'b'],
  ]);
  budget.giveBack(95);
});

test('what is held of a line that does not end is given back', () => {
  const lines = new NdjsonLines(20, budget);
  expect([...lines.push(Buffer.from('abc'))]).toEqual([]);
  lines.release();
});
