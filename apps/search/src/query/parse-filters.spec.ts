import { refusals } from './invalid-argument.fixture';
import { parseFilters } from './parse-filters';
import { treeText } from './query-tree.fixture';

const tree = (...filters: string[]) => treeText(parseFilters(filters));
const refused = (...filters: string[]) => refusals(() => parseFilters(filters));

test('none: everything', () => {
  expect(parseFilters([])).toEqual({ kind: 'all', of: [] });
});

test('the nodes are those of the contract', () => {
  expect(parseFilters(['status:sent|failed', 'size:>=10'])).toEqual({
    kind: 'all',
    of: [
      { kind: 'equals', field: 'status', values: ['sent', 'failed'] },
      { kind: 'range', field: 'size', comparison: '>=', value: 10 },
    ],
  });
});

test.each([
  ['status:sent', 'status=sent'],
  ['status:sent|sent|failed', 'status=sent|failed'],
  ['metadata.order-id_1:A 1', 'metadata.order-id_1=A 1'],
  ['url:https://example.com/a?b=c:d', 'url=https://example.com/a?b=c:d'],
  ['id:doc_1', 'id=doc_1'],
  ['kind:email', 'kind=email'],
  ['kind:email|document', 'kind=email|document'],
  ['from:Ann <a@example.com>', 'from=Ann <a@example.com>'],
  ['a: b ', 'a= b '],
  ['a:"b"', 'a="b"'],
  ['a::', 'a=:'],
  ['a:=5', 'a==5'],
  ['a:5>3', 'a=5>3'],
  ['a:*', 'a=*'],
  ['a:日本 😀', 'a=日本 😀'],
  ['a:line\nend', 'a=line\nend'],
  ['A:x', 'A=x'],
  ['__proto__:x', '__proto__=x'],
  ['constructor:x', 'constructor=x'],
  ['size:>10', 'size>10'],
  ['size:>=10.5', 'size>=10.5'],
  ['size:<-3', 'size<-3'],
  ['due:<=2026-01-05', 'due<=1767571200'],
  ['due:>2026-01-05T10:00:00+02:00', 'due>1767600000'],
  ['timestamp:>=2026-01-05T00:00:00Z', 'timestamp>=1767571200'],
  ['timestamp:1767571200', 'all(timestamp>=1767571200, timestamp<=1767571200)'],
  ['timestamp:2026-01-05', 'all(timestamp>=1767571200, timestamp<=1767571200)'],
  ['timestamp:1|2', 'any(all(timestamp>=1, timestamp<=1), all(timestamp>=2, timestamp<=2))'],
])('%j', (filter, expected) => {
  expect(tree(filter)).toBe(expected);
});

test.each([
  [String.raw`a:x\|y`, ['x|y']],
  [String.raw`a:x\|y|z`, ['x|y', 'z']],
  [String.raw`a:\>5`, ['>5']],
  [String.raw`a:\>=5|\<6`, ['>=5', '<6']],
  [String.raw`a:C:\\temp`, ['C:\\temp']],
  [String.raw`a:\\\|`, ['\\|']],
  [String.raw`a:b\>c`, ['b>c']],
  [String.raw`a:\|>`, ['|>']],
])('a backslash takes what is behind it as text: %s', (filter, values) => {
  expect(parseFilters([filter])).toEqual({ kind: 'equals', field: 'a', values });
});

const longName = 'n'.repeat(129);
test.each([
  ['', 'must be field:value'],
  ['status', 'must be field:value'],
  [':x', 'must be named by 1 to 128 letters, digits and . _ -'],
  ['a b:x', 'must be named by 1 to 128 letters, digits and . _ -'],
  ['ä:x', 'must be named by 1 to 128 letters, digits and . _ -'],
  ['a\n:x', 'must be named by 1 to 128 letters, digits and . _ -'],
  [`${longName}:x`, 'must be named by 1 to 128 letters, digits and . _ -'],
  ['title:x', 'cannot be about title: its words are found with subject: in the query'],
  ['content:>1', 'cannot be about content: its words are found with body: in the query'],
  ['a:', 'must not have an empty value'],
  ['a:|', 'must not have an empty value'],
  ['a:x|', 'must not have an empty value'],
  ['a:x||y', 'must not have an empty value'],
  ['kind:mail', 'must be one of email, document'],
  ['kind:email|Email', 'must be one of email, document'],
  ['kind:>1', 'cannot compare kind: it has no numbers or times'],
  ['id:<5', 'cannot compare id: it has no numbers or times'],
  ['url:>=a', 'cannot compare url: it has no numbers or times'],
  ...['>x', '>', '>=', '> 5', '>5|6', '>1e3', '>0x10', '>Infinity', '>2026-02-30', '>2026-13-01', '>\\5', '>>5', '<>5'].map(
    (value) =>
      [
        `size:${value}`,
        expect.stringMatching(
          /^must have a number, or a time such as 2026-01-05 or 2026-01-05T10:00:00Z, behind [<>]=?; \\> and \\< are text$/,
        ),
      ] as const,
  ),
  [
    'timestamp:yesterday',
    expect.stringContaining('must have a number, or a time such as 2026-01-05 or 2026-01-05T10:00:00Z, for timestamp'),
  ],
  ['timestamp:1|x', expect.stringContaining('for timestamp')],
  ['size:5|>10', 'must compare with one value only; \\> and \\< are text'],
  ['a:x\\', 'must have a backslash only in \\| \\\\ \\< and \\>, for these characters themselves'],
  ['a:C:\\temp', 'must have a backslash only in \\| \\\\ \\< and \\>, for these characters themselves'],
  ['a:x\0', 'must be well-formed Unicode without NUL'],
  ['a:x\ud800', 'must be well-formed Unicode without NUL'],
  [`a:${'x|'.repeat(50)}x`, 'must have at most 50 values'],
  [`a:${'x'.repeat(1025)}`, 'must have values of at most 1024 bytes'],
  [`a:x|${'ü'.repeat(513)}`, 'must have values of at most 1024 bytes'],
  [`a:${'|'.repeat(4_000_000)}`, 'must have at most 50 values'],
] as (readonly [string, unknown])[])('%#: refused', (filter, description) => {
  const [found, ...others] = refused('status:sent', filter) as string[];
  expect(others).toEqual([]);
  expect(found?.slice(0, 12)).toBe('filters[1]: ');
  expect(found?.slice(12)).toEqual(description);
});

test('every wrong one is named', () => {
  expect(refused('title:x', 'a:b', 'x')).toEqual([expect.stringMatching(/^filters\[0\]: cannot/), 'filters[2]: must be field:value']);
});

test('bounds are met exactly', () => {
  expect(parseFilters([`a:${'ü'.repeat(512)}`])).toMatchObject({ values: ['ü'.repeat(512)] });
  expect(parseFilters([`a:${Array.from({ length: 50 }, (_, index) => `v${index}`).join('|')}`])).toHaveProperty('values.length', 50);
  expect(parseFilters([`${'n'.repeat(128)}:x`])).toMatchObject({ field: 'n'.repeat(128) });
  expect(parseFilters(Array<string>(32).fill('a:x'))).toHaveProperty('of.length', 32);
  expect(refused(...Array<string>(33).fill('a:x'))).toEqual(['filters: must be at most 32']);
  // Escapes are not counted, what they stand for is.
  expect(parseFilters([`a:${'\\|'.repeat(1024)}`])).toMatchObject({ values: ['|'.repeat(1024)] });
});
