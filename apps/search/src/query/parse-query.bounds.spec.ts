import { refusals } from './invalid-argument.fixture';
import { parseQuery } from './parse-query';
import { treeText } from './query-tree.fixture';

const now = new Date('2026-05-31T12:34:56.789Z');
const tree = (query: string) => treeText(parseQuery(query, now));
const refusal = (query: string) => refusals(() => parseQuery(query, now));
const words = (count: number, end = '') => Array.from({ length: count }, (_, index) => `aa${index}${end}`).join(' ');
/** A tree of twice the depth, and a leaf. */
const nested = (depth: number) => `${'(y OR (x '.repeat(depth)}z${'))'.repeat(depth)}`;

describe('bounds are met exactly', () => {
  test('1024 characters, also where each takes two code units', () => {
    expect(tree('x'.repeat(1024))).toBe(`"${'x'.repeat(1024)}"`);
    expect(tree('😀'.repeat(1024))).toBe(`"${'😀'.repeat(1024)}"`);
    expect(refusal('😀'.repeat(1025))).toEqual(['query: at position 1025: the query must be at most 1024 characters']);
  });

  test('64 clauses, of whatever kind', () => {
    expect(tree(words(64))).toContain('"aa63"');
    expect(refusal(`is:sent ${words(64)}`)).toEqual([expect.stringContaining('at most 64')]);
    // What is left out does not count.
    expect(tree(`${'* '.repeat(100)}a`)).toBe('"a"');
  });

  test('eight words may go on, four may look alike', () => {
    expect(tree(words(8, '*'))).toContain('"aa7"*');
    expect(tree(words(4, 'a~'))).toContain('"aa3a"~');
  });

  test('a tree is 16 deep at most, its leaves included', () => {
    expect(tree(`-${nested(7)}`)).toContain('all("x", "z")');
    expect(refusal(`w -${nested(7)}`)).toEqual(['query: at position 1: groups may be nested at most 16 deep']);
    expect(refusal(`w ${nested(8)}`)).toEqual(['query: at position 3: groups may be nested at most 16 deep']);
    expect(tree(`${'('.repeat(16)}a${')'.repeat(16)}`)).toBe('"a"');
    // Side by side they are not nested.
    expect(tree('(a) '.repeat(20))).toBe(`all(${Array(20).fill('"a"').join(', ')})`);
  });
});

test.each([
  ['stars', '*'.repeat(1024)],
  ['words with stars', 'a*'.repeat(512)],
  ['quotes', '"'.repeat(1024)],
  ['empty phrases and words', '"a"'.repeat(341)],
  ['minus', '-'.repeat(1024)],
  ['minus and groups', '-('.repeat(512)],
  ['operators', 'from:'.repeat(204)],
  ['names of no operator', 'newer_thanx:'.repeat(85)],
  ['colons', ':'.repeat(1024)],
  ['negations', `${'NOT '.repeat(255)}a`],
  ['one letter, many marks', `a${'\u0301'.repeat(1023)}`],
  ['a long word that ends in nothing', `${'a'.repeat(1022)}!*`],
  ['digits', `larger:${'9'.repeat(1017)}`],
  ['almost a time', `after:${'2026-01-05T'.repeat(92)}`],
])('nothing makes it slow: %s', (_, query) => {
  // A catastrophic expression would not end within the test's time.
  for (let times = 0; times < 50; times += 1) expect(refusal(query)).toBeDefined();
});
