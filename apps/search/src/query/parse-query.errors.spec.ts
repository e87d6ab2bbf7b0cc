import { refusals } from './invalid-argument.fixture';
import { parseQuery } from './parse-query';

const now = new Date('2026-05-31T12:34:56.789Z');
const refusal = (query: string) => refusals(() => parseQuery(query, now));
const words = (count: number, end = '') => Array.from({ length: count }, (_, index) => `aa${index}${end}`).join(' ');

describe('errors point at what is wrong', () => {
  test.each(
    (
      [
        ['say "hello', 5, 'this quote is never closed'],
        ['“hello', 1, 'this quote is never closed'],
        ['"a" "b" "', 9, 'this quote is never closed'],
        ['😀😀 "', 4, 'this quote is never closed'],
        ['a (b', 3, 'this ( is never closed; in quotes it is text'],
        ['((a)', 1, 'this ( is never closed; in quotes it is text'],
        ['a) b', 2, 'this ) closes nothing; in quotes it is text'],
        [':)', 2, 'this ) closes nothing; in quotes it is text'],
        ['OR', 1, 'OR stands between two things to find; to find the word itself write it small or in quotes'],
        ['OR a', 1, 'OR stands between two things to find; to find the word itself write it small or in quotes'],
        ['a OR', 3, 'OR stands between two things to find; to find the word itself write it small or in quotes'],
        ['a OR OR b', 6, 'OR stands between two things to find; to find the word itself write it small or in quotes'],
        ['(a OR) b', 4, 'OR stands between two things to find; to find the word itself write it small or in quotes'],
        ['a AND OR b', 7, 'OR stands between two things to find; to find the word itself write it small or in quotes'],
        ['NOT OR b', 5, 'OR stands between two things to find; to find the word itself write it small or in quotes'],
        ['from:OR', 6, 'OR stands between two things to find; to find the word itself write it small or in quotes'],
        ['AND a', 1, 'AND stands between two things to find; to find the word itself write it small or in quotes'],
        ['a AND', 3, 'AND stands between two things to find; to find the word itself write it small or in quotes'],
        ['(a AND)', 4, 'AND stands between two things to find; to find the word itself write it small or in quotes'],
        ['a AND AND b', 7, 'AND stands between two things to find; to find the word itself write it small or in quotes'],
        ['a NOT', 3, 'NOT stands before what must not be found; to find the word itself write it small or in quotes'],
        ['(NOT)', 2, 'NOT stands before what must not be found; to find the word itself write it small or in quotes'],
        ['a from:', 3, 'from: needs a word, a "phrase" or a (group) behind it'],
        ['(from:)', 2, 'from: needs a word, a "phrase" or a (group) behind it'],
        ['from:***', 1, 'from: needs a word, a "phrase" or a (group) behind it'],
        ['from:""', 1, 'from: needs a word, a "phrase" or a (group) behind it'],
        ['from:()', 1, 'from: needs a word, a "phrase" or a (group) behind it'],
        ['has:', 1, 'has: needs attachment behind it'],
        ['a before:', 3, /^before: needs a day such as 2026-01-05 or /],
        ['from:to:a', 6, 'to: cannot stand within from:; in quotes it is text'],
        ['subject:(a from:b)', 12, 'from: cannot stand within subject:; in quotes it is text'],
        ['from:-a', 6, 'a negation stands before from:, not behind it'],
        ['from:NOT a', 6, 'a negation stands before from:, not behind it'],
        ['has:star', 5, 'has: takes attachment'],
        [
          'is:unread',
          4,
          'is: takes one of scheduled, queued, sending, sent, deferred, delivered, uncertain, bounced, complained, suppressed, canceled, expired, failed',
        ],
        ['is:constructor', 4, /^is: takes one of/],
        ['is:sen*', 4, /^is: takes one of/],
        ['is:(sent OR x)', 13, /^is: takes one of/],
        ...[
          'yesterday',
          '2026-13-01',
          '2026-02-30',
          '2026-02-30T10:00:00Z',
          '2026-00-01',
          '2026-01-00',
          '2026-1/5',
          '26-01-05',
          '20260105',
          '1767607230123',
          '2026-01-05T25:00',
          '99999-01-01',
          '"..."',
          '12:30',
        ].map(
          (time) =>
            [
              `a before:${time}`,
              10,
              /^before: takes a day such as 2026-01-05 or 2026\/01\/05, a time such as 2026-01-05T10:00:00Z, or unix seconds$/,
            ] as const,
        ),
        ['after:x', 7, /^after: takes a day/],
        ...['7', 'd', '7 d', '7days', '10000d', '1.5d'].map(
          (age) => [`newer_than:${age}`, 12, /^newer_than: takes a number and one of h, d, w, m and y/] as const,
        ),
        ['newer_than:-7d', 12, 'a negation stands before newer_than:, not behind it'],
        ['older_than:x', 12, /^older_than: takes a number and one of/],
        ...['x', '10T', '1e3', '1.2345K', '9007199254740992', '10,5', 'M', '1000000000000000'].map(
          (size) => [`larger:${size}`, 8, 'larger: takes a number of bytes, or of K, M or G, such as 500, 10K or 5M'] as const,
        ),
        ['smaller:x', 9, /^smaller: takes a number of bytes/],
        ['a*', 1, 'a * needs at least 2 letters or digits before it'],
        ['x from:a*', 8, 'a * needs at least 2 letters or digits before it'],
        ['a.b*', 1, 'a * needs at least 2 letters or digits before it'],
        ['a\u0301*', 1, 'a * needs at least 2 letters or digits before it'],
        ['東京a*', 1, 'a * needs at least 2 letters or digits before it'],
        ['"hello w"*', 1, 'a * needs at least 2 letters or digits before it'],
        ['abc~', 1, 'a ~ needs one word of 4 to 32 letters and digits before it; in quotes it is text'],
        [`${'x'.repeat(33)}~`, 1, 'a ~ needs one word of 4 to 32 letters and digits before it; in quotes it is text'],
        ['x notes.text~', 3, 'a ~ needs one word of 4 to 32 letters and digits before it; in quotes it is text'],
        ['body:word~', 6, 'a ~ cannot be looked for with body:'],
        ['東京word~', 1, 'a ~ needs one word of 4 to 32 letters and digits before it; in quotes it is text'],
        ['東京都庁~', 1, 'a ~ is not for Chinese, Japanese and Korean'],
        [words(9, '*'), 41, 'at most 8 words may end with *'],
        [words(5, 'a~'), 25, 'at most 4 words may end with ~'],
        [words(65), 311, 'there may be at most 64 words, phrases and operators'],
        ['('.repeat(17), 17, 'groups may be nested at most 16 deep'],
        ['x'.repeat(1025), 1025, 'the query must be at most 1024 characters'],
        ['"'.repeat(10_000), 1025, 'the query must be at most 1024 characters'],
        ['('.repeat(4_000_000), 1025, 'the query must be at most 1024 characters'],
      ] as (readonly [string, number, string | RegExp])[]
    ).map((row) => [row[0].slice(0, 60), ...row] as const),
  )('%j', (_, query, position, description) => {
    const [found, ...others] = refusal(query) as string[];
    expect(others).toEqual([]);
    const [, at, words] = /^query: at position (\d+): (.*)$/.exec(found ?? '') ?? [];
    expect(Number(at)).toBe(position);
    if (typeof description === 'string') expect(words).toBe(description);
    else expect(words).toMatch(description);
  });
});
