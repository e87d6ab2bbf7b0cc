import { parseQuery } from './parse-query';
import { treeText } from './query-tree.fixture';

const now = new Date('2026-05-31T12:34:56.789Z');
const tree = (query: string) => treeText(parseQuery(query, now));

test('the nodes are those of the contract', () => {
  expect(parseQuery('hello -from:"Ann Lee" wor* OR subject:word~ is:sent larger:1K', now)).toEqual({
    kind: 'all',
    of: [
      { kind: 'text', text: 'hello', match: 'phrase' },
      { kind: 'not', of: { kind: 'text', field: 'from', text: 'Ann Lee', match: 'phrase' } },
      {
        kind: 'any',
        of: [
          { kind: 'text', text: 'wor', match: 'prefix' },
          { kind: 'text', field: 'title', text: 'word', match: 'fuzzy' },
        ],
      },
      { kind: 'equals', field: 'status', values: ['sent'] },
      { kind: 'range', field: 'size', comparison: '>', value: 1024 },
    ],
  });
});

describe('words, phrases and how they are joined', () => {
  test.each([
    ['', 'all()'],
    [' \t\n　', 'all()'],
    ['a', '"a"'],
    ['a b', 'all("a", "b")'],
    ['  a   b\n', 'all("a", "b")'],
    ['a AND b', 'all("a", "b")'],
    ['a OR b', 'any("a", "b")'],
    ['a OR b OR c', 'any("a", "b", "c")'],
    ['a b OR c d', 'all("a", any("b", "c"), "d")'],
    ['a AND b OR c AND d', 'all("a", any("b", "c"), "d")'],
    ['a or b and c not d', 'all("a", "or", "b", "and", "c", "not", "d")'],
    ['"OR" "AND" "NOT"', 'all("OR", "AND", "NOT")'],
    ['ORANGE ANDY NOTE', 'all("ORANGE", "ANDY", "NOTE")'],
    ['-a', '!"a"'],
    ['NOT a', '!"a"'],
    ['-a -b', 'all(!"a", !"b")'],
    ['a -b OR -c', 'all("a", any(!"b", !"c"))'],
    ['-"a b"', '!"a b"'],
    ['-(a b)', '!all("a", "b")'],
    ['-from:a', '!from"a"'],
    ['NOT NOT a', '"a"'],
    ['NOT -a', '"a"'],
    ['-(-a)', '"a"'],
    ['-(-a -b)', '!all(!"a", !"b")'],
    ['(a)', '"a"'],
    ['((((((((((((((((a))))))))))))))))', '"a"'],
    ['(a b) (c d)', 'all("a", "b", "c", "d")'],
    ['(a OR b) OR c', 'any("a", "b", "c")'],
    ['(a b) OR c', 'any(all("a", "b"), "c")'],
    ['(a OR b)(c OR d)', 'all(any("a", "b"), any("c", "d"))'],
    ['a(b)c', 'all("a", "b", "c")'],
    ['()', 'all()'],
    ['main() a', 'all("main", "a")'],
    ['"a  b"', '"a b"'],
    ['" a\tb\n"', '"a b"'],
    ['""', 'all()'],
    ['a"b c"d', 'all("a", "b c", "d")'],
    ['"(a OR -b) from:c"', '"(a OR -b) from:c"'],
  ])('%j', (query, expected) => {
    expect(tree(query)).toBe(expected);
  });

  test.each(['“a b”', '„a b“', '«a b»', '» a b «', '”a b”', '„a b"', '"a b”', '＂a b＂', '‟a b”'])('%s is a phrase', (query) => {
    expect(tree(query)).toBe('"a b"');
  });

  test('what has neither letter, digit nor emoji is as if it were not there, and so cannot exclude everything', () => {
    for (const query of [
      '*',
      '~',
      ':',
      '-',
      '--',
      '---',
      '- - -',
      '***',
      '&&',
      '||',
      '!',
      '?',
      '"..."',
      '-"..."',
      '-*',
      '©',
      '\u0301',
      '#️⃣',
      '(-)',
      '-(*)',
      '.',
    ]) {
      expect([query, tree(query)]).toEqual([query, 'all()']);
      expect([query, tree(`a ${query} b`)]).toEqual([query, 'all("a", "b")']);
      expect([query, tree(`a ${query}`)]).toEqual([query, '"a"']);
    }
    expect(tree('* OR a')).toBe('"a"');
    expect(tree('a OR (*)')).toBe('"a"');
    expect(tree('* OR *')).toBe('all()');
    expect(tree('from:(a OR *)')).toBe('from"a"');
  });

  test.each([
    ['bücher naïve', 'all("bücher", "naïve")'],
    ['東京タワー 検索', 'all("東京タワー", "検索")'],
    ['東京　検索', 'all("東京", "検索")'],
    ['😀', '"😀"'],
    ['-😀 👨‍👩‍👧 🇩🇪', 'all(!"😀", "👨‍👩‍👧", "🇩🇪")'],
    ['שלום עולם', 'all("שלום", "עולם")'],
    ['\u200fמאת\u200f from:דוד\u202c', 'all("מאת", from"דוד")'],
    ['\u202bמאת', '"מאת"'],
    ['می‌خواهم', '"می‌خواهم"'],
    ['a\u0000b\u0007c\u0085d\u200be', 'all("a", "b", "c", "d", "e")'],
    ['"a\u0000b\ud800c\udc00d"', '"a b c d"'],
    ['\ud83dx', '"x"'],
  ])('%j', (query, expected) => {
    expect(tree(query)).toBe(expected);
  });

  test.each([
    'alice@example.com',
    'https://example.com/a?b=c&d=e#f',
    '12:30',
    're:',
    'RE:hello',
    'foo:bar',
    'foo:bar:baz',
    'title:x',
    'mailto:a@b.example',
    'x:from:alice',
    'node.js',
    "don't",
    'foo-bar',
    '--force',
    '+a',
    '!a',
    'a^2',
    'word~2',
    '~/.profile',
    'path/~',
    '**bold**',
    '*suffix',
    'wo*rd',
    'a.*',
    'a?',
    'C++',
    '#tag',
    '@alice',
    '10%',
    '[x]',
    '{b}',
    '/regex/',
    '/a+?',
    '<b>',
    '\\d',
    '__proto__:x',
    'constructor:x',
    'toString:',
    '👍*',
    'fro:alice',
    'from_:alice',
    'from：alice',
  ])('%s is text', (query) => {
    expect(parseQuery(query, now)).toEqual({ kind: 'text', text: query, match: 'phrase' });
  });

  test.each([
    ['*:*', 'all()'],
    ['title:[a TO b]', 'all("title:[a", "TO", "b]")'],
    ['/regex.*/', '"/regex.*/"'],
    ['<script>alert(1)</script>', 'all("<script>alert", "1", "</script>")'],
    ['{"query": {"match_all": {}}}', 'all("query", "match_all")'],
    ["'; drop table email; --", 'all("drop", "table", "email;")'],
    ['a && b || !c', 'all("a", "b", "!c")'],
    ['a:* & b:B | !c', 'all("a:*", "b:B", "!c")'],
  ])('another language is text: %s', (query, expected) => {
    expect(tree(query)).toBe(expected);
  });
});
