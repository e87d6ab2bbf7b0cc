/** Numbers in [0, 1) that a seed decides (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a parser may stumble over, one after another with and without space between. */
const PIECES = [
  ...['a', 'word', 'wor*', 'word~', 'node.js', 'é', 'ß', '東京', '東*', 'カ', '한국', 'שלום', 'مرحبا', '😀', '👨‍👩‍👧', '🇩🇪', 'a\u0301', '𠮷'],
  ...['"', '"a b"', '"a b"*', '“', '”', '„', '«', '»', "'", '(', ')', '(a', 'b)', '()', '((', '))', '-', '--', '-a', '-"a"', '-(', '- '],
  ...[
    'OR',
    'AND',
    'NOT',
    'or',
    '&&',
    '||',
    '!',
    '+',
    '*',
    '**',
    '*:*',
    '~',
    '~2',
    ':',
    '::',
    '\\',
    '\\"',
    '/',
    '/a+/',
    '^',
    '?',
    '[a TO b]',
    '{',
    '}',
  ],
  ...[
    'from:',
    'FROM:alice',
    'to:"a b"',
    'cc:(a OR b)',
    'bcc:b*',
    'subject:(',
    'body:x',
    'filename:a.pdf',
    'from:-a',
    'from:to:x',
    '-from:a',
    'foo:bar',
    're:',
  ],
  ...[
    'has:attachment',
    'has:x',
    'is:sent',
    'is:(sent OR failed)',
    'is:x',
    'larger:10K',
    'smaller:',
    'smaller:x',
    'newer_than:7d',
    'older_than:3m',
  ],
  ...[
    'before:2026-01-05',
    'after:2026/1/5',
    'before:2026-02-30',
    'after:1767607230',
    'after:2026-01-05T10:00:00+02:00',
    'before:',
    '12:30',
  ],
  ...[
    '\u0000',
    '\u001b',
    '\u007f',
    '\u0085',
    '\u200b',
    '\u200f',
    '\u202e',
    '\ufeff',
    '\u3000',
    '\n',
    '\t',
    '\ud800',
    '\udc00',
    '\ufffd',
    '\ufdfa',
    '\u{10ffff}',
  ],
  ...[
    '<script>alert(1)</script>',
    '{"query":{"match_all":{}}}',
    "'; drop table email; --",
    '${x}',
    '%00',
    '../..',
    '__proto__',
    'constructor:x',
  ],
  ...['9'.repeat(30), 'x'.repeat(33), '.'.repeat(40), 'a.b*'],
];

export function nonsense(random: () => number): string {
  const pick = (): string => PIECES[Math.floor(random() * PIECES.length)] ?? '';
  const length = Math.floor(random() ** 2 * 40);
  return Array.from({ length }, () => pick() + (random() < 0.6 ? ' ' : '')).join('');
}
