import { statuses } from './operators';
import { parseQuery } from './parse-query';
import { treeText } from './query-tree.fixture';

const now = new Date('2026-05-31T12:34:56.789Z');
const tree = (query: string) => treeText(parseQuery(query, now));
const seconds = (time: string) => Date.parse(time) / 1000;

describe('operators', () => {
  test.each([
    ['from:alice', 'from"alice"'],
    ['FROM:Alice', 'from"Alice"'],
    ['to:a@example.com', 'to"a@example.com"'],
    ['cc:"Ann Lee"', 'cc"Ann Lee"'],
    ['bcc:“Ann Lee”', 'bcc"Ann Lee"'],
    ['subject:hello', 'title"hello"'],
    ['Subject: hello world', 'all(title"hello", "world")'],
    ['body:hello', 'content"hello"'],
    ['filename:report.pdf', 'filename"report.pdf"'],
    ['from:ali*', 'from"ali"*'],
    ['from:alice~', 'from"alice"~'],
    ['from:(alice OR bob)', 'any(from"alice", from"bob")'],
    ['from:(alice bob*)', 'all(from"alice", from"bob"*)'],
    ['subject:(a -"b c" (d OR e))', 'all(title"a", !title"b c", any(title"d", title"e"))'],
    ['from:alice OR to:bob c', 'all(any(from"alice", to"bob"), "c")'],
    ['subject:re:', 'title"re:"'],
    ['subject:12:30', 'title"12:30"'],
    ['subject:"from:bob"', 'title"from:bob"'],
    ['(from:alice)', 'from"alice"'],
    ['has:attachment', 'has_attachment=true'],
    ['HAS:Attachments', 'has_attachment=true'],
    ['-has:attachment', '!has_attachment=true'],
    ['is:Sent', 'status=sent'],
    ['is:"sent"', 'status=sent'],
    ['is:(sent OR failed)', 'any(status=sent, status=failed)'],
    ['larger:10', 'size>10'],
    ['larger:10K', 'size>10240'],
    ['larger:10kb', 'size>10240'],
    ['smaller:5M', 'size<5242880'],
    ['smaller:1g', 'size<1073741824'],
    ['smaller:1.5k', 'size<1536'],
    ['larger:0', 'size>0'],
  ])('%s', (query, expected) => {
    expect(tree(query)).toBe(expected);
  });

  test.each(statuses)('is:%s', (status) => {
    expect(parseQuery(`is:${status}`)).toEqual({ kind: 'equals', field: 'status', values: [status] });
  });

  test.each([
    ['2026-01-05', '2026-01-05T00:00:00Z'],
    ['2026/01/05', '2026-01-05T00:00:00Z'],
    ['2026/1/5', '2026-01-05T00:00:00Z'],
    ['2026-02', '2026-02-01T00:00:00Z'],
    ['2026', '2026-01-01T00:00:00Z'],
    ['2024-02-29', '2024-02-29T00:00:00Z'],
    ['0099-01-01', '0099-01-01T00:00:00Z'],
    ['2026-01-05T10:20', '2026-01-05T10:20:00Z'],
    ['2026-01-05T10:20:30', '2026-01-05T10:20:30Z'],
    ['2026-01-05T10:20:30.25Z', '2026-01-05T10:20:30.250Z'],
    ['2026-01-05t10:20:30z', '2026-01-05T10:20:30Z'],
    ['2026-01-05T10:20:30+02:00', '2026-01-05T08:20:30Z'],
    ['1767607230', '2026-01-05T10:00:30Z'],
  ])('before:%s is strictly before its beginning, after: from then on', (text, time) => {
    expect(tree(`before:${text}`)).toBe(`timestamp<${seconds(time)}`);
    expect(tree(`after:${text}`)).toBe(`timestamp>=${seconds(time)}`);
    expect(tree(`after:"${text}"`)).toBe(`timestamp>=${seconds(time)}`);
  });

  test.each([
    ['12h', '2026-05-31T00:34:56Z'],
    ['0d', '2026-05-31T12:34:56Z'],
    ['7d', '2026-05-24T12:34:56Z'],
    ['2W', '2026-05-17T12:34:56Z'],
    ['1m', '2026-04-30T12:34:56Z'],
    ['2m', '2026-03-31T12:34:56Z'],
    ['3m', '2026-02-28T12:34:56Z'],
    ['27m', '2024-02-29T12:34:56Z'],
    ['1y', '2025-05-31T12:34:56Z'],
  ])('newer_than:%s, older_than:', (age, time) => {
    expect(tree(`newer_than:${age}`)).toBe(`timestamp>=${seconds(time)}`);
    expect(tree(`older_than:${age}`)).toBe(`timestamp<${seconds(time)}`);
  });

  test('an age counts from now where nothing else is said', () => {
    const before = Math.floor(Date.now() / 1000);
    expect(parseQuery('newer_than:1h')).toMatchObject({ value: expect.closeTo(before - 3600, -2) });
  });
});

describe('word* and word~', () => {
  test.each([
    ['wo*', '"wo"*'],
    ['w1*', '"w1"*'],
    ['-wor*', '!"wor"*'],
    ['node.js*', '"node.js"*'],
    ['"hello wor"*', '"hello wor"*'],
    ['from:"ann le"*', 'from"ann le"*'],
    ['"hello wor"*x', 'all("hello wor"*, "x")'],
    ['"hello" *', '"hello"'],
    ['"hello !"*', '"hello !"'],
    ['東*', '"東"*'],
    ['東京ab*', '"東京ab"*'],
    ['ab東*', '"ab東"*'],
    ['が*'.normalize('NFD'), '"が"*'.normalize('NFD')],
    ['ア*', '"ア"*'],
    ['한*', '"한"*'],
    ['𠮷*', '"𠮷"*'],
    ['word~', '"word"~'],
    ['Bücher~', '"Bücher"~'],
    [`${'x'.repeat(32)}~`, `"${'x'.repeat(32)}"~`],
    ['"word"~', '"word"'],
  ])('%s', (query, expected) => {
    expect(tree(query)).toBe(expected);
  });
});
