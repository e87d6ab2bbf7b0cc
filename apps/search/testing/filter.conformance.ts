import type { Comparison, QueryNode } from '../src/query/query';
import type { DocumentParts, EngineUnderTest } from './engine-under-test';

const strange = [
  'with space',
  'with:colon',
  'a|b',
  '"quoted"',
  "it's",
  'back\\slash',
  '%_*?',
  '{"json":[1]}',
  '東京都',
  'Ünï cödé',
  '<b>',
  'new\nline',
  'a\u0001b',
  'separator\u001fmore',
  '$1',
  "'); drop table document; --",
  ' leading and trailing ',
  '👍',
];
const strangeNames = [
  'a.b',
  'a.b.c',
  'constructor',
  '__proto__',
  'toString',
  'attributes',
  'tenant',
  'version',
  '_id',
  '_source',
  'select',
  '0',
  '-',
  'A',
  'a',
];

const documents: DocumentParts[] = [
  {
    id: 'one',
    url: 'https://example.com/one?a=b',
    attributes: { status: ['sent'], amount: ['12'], due: ['2026-01-15'], tag: ['red', 'blue'] },
    timestamp: 1000,
  },
  {
    id: 'two',
    kind: 'email',
    attributes: { status: ['delivered'], amount: ['9.5', '200'], due: ['2026-02-15T10:00:00+02:00'], tag: ['blue'] },
    timestamp: 2000,
  },
  {
    id: 'three',
    attributes: { status: ['Sent'], amount: ['many'], due: ['2026-02-15T09:30:00Z'], tag: ['red green'] },
    timestamp: 3000,
  },
  { id: 'four', attributes: { amount: ['-3'], status: [] }, timestamp: 4000 },
];
const ALL = ['four', 'one', 'three', 'two'];

const filters: [filters: string[], found: string[]][] = [
  [[], ALL],
  [['status:sent'], ['one']],
  [['status:Sent'], ['three']],
  [['status:sen'], []],
  [['status:sent|delivered'], ['one', 'two']],
  [['status:sent', 'status:delivered'], []],
  [['tag:red'], ['one']],
  [['tag:red', 'tag:blue'], ['one']],
  [['tag:blue'], ['one', 'two']],
  [['tag:red green'], ['three']],
  [['tag:blue', 'status:delivered'], ['two']],
  [['nowhere:sent'], []],
  [['amount:12'], ['one']],
  [['amount:12.0'], []],
  [['amount:>=12'], ['one', 'two']],
  [['amount:>12'], ['two']],
  [['amount:<0'], ['four']],
  [['amount:<=9.5'], ['four', 'two']],
  [
    ['amount:>10', 'amount:<20'],
    ['one', 'two'],
  ],
  [['amount:>=200', 'tag:blue'], ['two']],
  [['due:>=2026-02-01'], ['three', 'two']],
  [['due:<2026-02-15T08:30:00Z'], ['one', 'two']],
  [['due:>2026-02-15T09:00:00Z'], ['three']],
  [['kind:email'], ['two']],
  [['kind:email|document'], ALL],
  [['id:one|four'], ['four', 'one']],
  [['url:https://example.com/one?a=b'], ['one']],
  [['url:https://example.com/one'], []],
  [
    ['timestamp:>=2000', 'timestamp:<4000'],
    ['three', 'two'],
  ],
  [['timestamp:>1970-01-01T00:33:20Z'], ['four', 'three']],
];

const equals = (field: string, ...values: string[]): QueryNode => ({ kind: 'equals', field, values });
const range = (field: string, comparison: Comparison, value: number): QueryNode => ({ kind: 'range', field, comparison, value });

const trees: [name: string, where: QueryNode, found: string[]][] = [
  ['not equal', { kind: 'not', of: equals('status', 'sent') }, ['four', 'three', 'two']],
  ['one of no values', equals('status'), []],
  ['a kind that is none', equals('kind', 'nothing'), []],
  ['an empty value', equals('status', ''), []],
  ['one or the other field', { kind: 'any', of: [equals('status', 'Sent'), range('amount', '<', 0)] }, ['four', 'three']],
  ['not in a range', { kind: 'not', of: range('amount', '>', 10) }, ['four', 'three']],
  ['a range of the time', range('timestamp', '<=', 1000), ['one']],
  ['a range beyond all numbers', range('amount', '<', 1e15), ['four', 'one', 'two']],
  ['a fraction', range('amount', '>=', 9.5), ['one', 'two']],
  ['an id that is none', equals('id', 'x'.repeat(256)), []],
  ['a value that no document can have', equals('status', 'x'.repeat(20_000)), []],
  ['many values', equals('id', ...Array.from({ length: 50 }, (_, i) => `none-${i}`), 'two'), ['two']],
];

export function describeFilters(subject: EngineUnderTest): void {
  describe('filters', () => {
    const tenant = subject.newTenant();
    beforeAll(() => subject.add(tenant, documents));

    test.each(filters)('%j', async (given, found) => {
      expect(await subject.found(tenant, { filters: given })).toEqual(found);
    });
    test.each(trees)('%s', async (_, where, found) => {
      expect(await subject.found(tenant, { where })).toEqual(found);
    });

    describe('values and names of any characters', () => {
      const other = subject.newTenant();
      beforeAll(() =>
        subject.add(other, [
          ...strange.map((value, i) => ({ id: `value-${i}`, attributes: { field: [value] } })),
          ...strangeNames.map((name) => ({ id: `name-${name}`, attributes: Object.fromEntries([[name, ['here', '7']]]) })),
        ]),
      );

      test.each(strange.map((value, i) => [value, i] as const))('the value %j is found by itself alone', async (value, i) => {
        const { hits } = await subject.search(other, { where: equals('field', value) });
        expect(hits.map(({ id, attributes }) => [id, attributes])).toEqual([[`value-${i}`, { field: [value] }]]);
      });
      test.each(strangeNames)('the name %s is found by itself alone', async (name) => {
        expect(await subject.ids(other, { where: equals(name, 'here') })).toEqual([`name-${name}`]);
        expect(await subject.ids(other, { where: range(name, '>', 6) })).toEqual([`name-${name}`]);
      });
      test('names and values are not taken for one another', async () => {
        const mixed = subject.newTenant();
        await subject.add(mixed, [
          { id: 'x', attributes: { a: ['b=c'] } },
          { id: 'y', attributes: { 'a.b': ['c'] } },
        ]);
        expect(await subject.ids(mixed, { where: equals('a', 'c') })).toEqual([]);
        expect(await subject.ids(mixed, { where: equals('a', 'b.c') })).toEqual([]);
        expect(await subject.ids(mixed, { where: equals('a.b', 'c') })).toEqual(['y']);
      });
    });

    test('a document has as many values and as long ones as are allowed', async () => {
      const own = subject.newTenant();
      const long = 'é'.repeat(512);
      const recipients = Array.from({ length: 1000 }, (_, i) => `recipient.${i}@example.com`);
      const many = Object.fromEntries(Array.from({ length: 62 }, (_, i) => [`name${i}`.padEnd(128, '.'), [String(i)]]));
      await subject.add(own, [{ id: 'large', attributes: { to: recipients, note: [long], ...many } }]);
      expect(await subject.ids(own, { where: equals('note', long) })).toEqual(['large']);
      expect(await subject.ids(own, { where: equals('note', long.slice(1)) })).toEqual([]);
      expect(await subject.ids(own, { where: equals('to', 'recipient.999@example.com') })).toEqual(['large']);
      expect(await subject.ids(own, 'to:recipient.999@example.com')).toEqual(['large']);
      expect(await subject.ids(own, { where: range('name61'.padEnd(128, '.'), '>=', 61) })).toEqual(['large']);
      expect((await subject.search(own)).hits[0]?.attributes).toEqual({ to: recipients, note: [long], ...many });
    });
  });
}
