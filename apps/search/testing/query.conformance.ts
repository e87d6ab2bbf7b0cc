import type { QueryNode } from '../src/query/query';
import type { DocumentParts, EngineUnderTest } from './engine-under-test';

const day = (date: string): number => Date.parse(date) / 1000;

const documents: DocumentParts[] = [
  {
    id: 'plan',
    title: 'Annual plan for the bridge',
    content: 'The river bridge is painted in spring. Costs are shared.',
    attributes: {
      from: ['Alice Smith <alice@example.com>'],
      to: ['bob@example.org'],
      status: ['sent'],
      has_attachment: ['true'],
      filename: ['bridge-plan.pdf'],
      size: ['2048'],
    },
    timestamp: day('2026-01-10'),
  },
  {
    id: 'invoice',
    title: 'Invoice 4711',
    content: 'Please pay the bridge toll by Friday',
    attributes: {
      from: ['billing@shop.example'],
      to: ['alice@example.com'],
      cc: ['Carol Jones <carol@example.net>'],
      status: ['delivered'],
      has_attachment: ['true'],
      filename: ['invoice_4711.PDF', 'terms.txt'],
      size: ['2000000'],
    },
    timestamp: day('2026-02-10'),
  },
  {
    id: 'lunch',
    title: 'Lunch?',
    content: 'Bridge the gap between river and town; see node.js and C3PO',
    attributes: {
      from: ['carol@example.net'],
      to: ['bob@example.org', 'alice@example.com'],
      bcc: ['dave@hidden.example'],
      status: ['failed'],
      has_attachment: ['false'],
      size: ['500'],
      note: ['secretnote'],
    },
    timestamp: day('2026-03-10'),
  },
  { id: 'empty' },
];
const ALL = ['empty', 'invoice', 'lunch', 'plan'];

const words: [query: string, found: string[]][] = [
  ['bridge', ['invoice', 'lunch', 'plan']],
  ['BRIDGE', ['invoice', 'lunch', 'plan']],
  ['river bridge', ['lunch', 'plan']],
  ['bridge river', ['lunch', 'plan']],
  ['painted alice', ['plan']],
  ['nowhere', []],
  ['bridge nowhere', []],
  ['bridges', []],
  ['4711', ['invoice']],
  ['alice', ['invoice', 'lunch', 'plan']],
  ['alice@example.com', ['invoice', 'lunch', 'plan']],
  ['hidden', ['lunch']],
  ['pdf', ['invoice', 'plan']],
  ['node.js', ['lunch']],
  ['node', ['lunch']],
  ['js', ['lunch']],
  ['c3po', ['lunch']],
  ['c3', []],
  // Only the title, the content and textAttributes hold words.
  ['secretnote', []],
  ['delivered', []],
];

const phrases: [query: string, found: string[]][] = [
  ['"river bridge"', ['plan']],
  ['"bridge river"', []],
  ['"river painted"', []],
  ['"bridge is painted"', ['plan']],
  ['"Invoice 4711"', ['invoice']],
  ['"spring costs"', ['plan']],
  ['"alice@example.com"', ['invoice', 'lunch', 'plan']],
  ['"bob@example.org"', ['lunch', 'plan']],
  // From the end of one value into the next one.
  ['"example.org alice"', []],
  // From one field into another.
  ['"lunch bridge"', []],
  ['"4711 please"', []],
  ['to:"org alice"', []],
];

const operators: [query: string, found: string[]][] = [
  ['-bridge', ['empty']],
  ['river -painted', ['lunch']],
  ['bridge -"river bridge"', ['invoice', 'lunch']],
  ['painted OR friday', ['invoice', 'plan']],
  // OR binds closer than what stands beside it.
  ['river painted OR friday', ['plan']],
  ['painted OR friday toll', ['invoice']],
  ['(painted OR friday) river', ['plan']],
  ['-(painted OR friday)', ['empty', 'lunch']],
  ['from:alice', ['plan']],
  ['from:alice@example.com', ['plan']],
  ['from:"Alice Smith"', ['plan']],
  ['from:"Smith Example"', []],
  ['from:(carol OR billing)', ['invoice', 'lunch']],
  ['to:alice', ['invoice', 'lunch']],
  ['-to:alice', ['empty', 'plan']],
  ['cc:carol', ['invoice']],
  ['from:carol', ['lunch']],
  ['bcc:dave', ['lunch']],
  ['cc:dave', []],
  ['subject:bridge', ['plan']],
  ['subject:"annual plan"', ['plan']],
  ['body:bridge', ['invoice', 'lunch', 'plan']],
  ['body:invoice', []],
  ['body:"bridge toll"', ['invoice']],
  ['filename:plan', ['plan']],
  ['filename:pdf', ['invoice', 'plan']],
  ['filename:invoice_4711.pdf', ['invoice']],
  ['filename:terms', ['invoice']],
  ['has:attachment', ['invoice', 'plan']],
  ['-has:attachment', ['empty', 'lunch']],
  ['is:sent', ['plan']],
  ['is:failed', ['lunch']],
  ['is:queued', []],
  // Without a timestamp a document is neither before nor after.
  ['before:2026-02-01', ['plan']],
  ['after:2026-02-01', ['invoice', 'lunch']],
  ['after:2026-02-01 before:2026-03-01', ['invoice']],
  ['larger:1000', ['invoice', 'plan']],
  ['larger:1K', ['invoice', 'plan']],
  ['larger:1M', ['invoice']],
  ['smaller:1K', ['lunch']],
  ['bri*', ['invoice', 'lunch', 'plan']],
  ['inv*', ['invoice']],
  ['subject:bri*', ['plan']],
  ['from:ali*', ['plan']],
  ['from:car*', ['lunch']],
  ['body:inv*', []],
  ['bridgw~', ['plan']],
  ['invoise~', ['invoice']],
  ['jonnes~', ['invoice']],
  ['zzqqxx~', []],
  // Only in the title and in textAttributes.
  ['paintad~', []],
  ['is:sent from:alice subject:plan larger:1K bridge', ['plan']],
];

const text = (value: string, over: object = {}): QueryNode => ({ kind: 'text', text: value, match: 'phrase', ...over });

const trees: [name: string, where: QueryNode, found: string[]][] = [
  ['all of nothing holds', { kind: 'all', of: [] }, ALL],
  ['one of nothing does not', { kind: 'any', of: [] }, []],
  ['not everything', { kind: 'not', of: { kind: 'all', of: [] } }, []],
  ['not nothing', { kind: 'not', of: { kind: 'any', of: [] } }, ALL],
  ['a text without a word holds everywhere', text('!?  --'), ALL],
  ['an empty text, too', text(''), ALL],
  ['not a text without a word', { kind: 'not', of: text('...') }, []],
  ['a text without a word in a field that is not there', text('!!', { field: 'cc' }), ALL],
  ['a prefix of several words', text('annual pla', { match: 'prefix' }), ['plan']],
  ['a prefix of words in another order', text('plan annu', { match: 'prefix' }), []],
  ['a prefix goes on in the last word only', text('annu plan', { match: 'prefix' }), []],
  ['a prefix is a whole word, too', text('lunch', { match: 'prefix' }), ['lunch']],
  ['a prefix in a field', text('inv', { field: 'filename', match: 'prefix' }), ['invoice']],
  ['fuzzy in a field', text('annuel', { field: 'title', match: 'fuzzy' }), ['plan']],
  ['not twice', { kind: 'not', of: { kind: 'not', of: text('painted') } }, ['plan']],
  ['a negation as one of several', { kind: 'any', of: [text('painted'), { kind: 'not', of: text('bridge') }] }, ['empty', 'plan']],
  ['a negation of a field that is not there', { kind: 'not', of: text('carol', { field: 'cc' }) }, ['empty', 'lunch', 'plan']],
  [
    'values of several attributes',
    { kind: 'all', of: [text('bob', { field: 'to' }), { kind: 'equals', field: 'status', values: ['failed'] }] },
    ['lunch'],
  ],
  [
    'groups within groups',
    {
      kind: 'all',
      of: [
        {
          kind: 'any',
          of: [
            { kind: 'all', of: [text('river'), text('town')] },
            { kind: 'all', of: [text('toll'), text('friday')] },
          ],
        },
        { kind: 'not', of: { kind: 'any', of: [text('lunch'), text('painted')] } },
      ],
    },
    ['invoice'],
  ],
];

export function describeQueries(subject: EngineUnderTest): void {
  describe('queries', () => {
    const tenant = subject.newTenant();
    beforeAll(() => subject.add(tenant, documents));

    test('nothing asked finds everything', async () => {
      expect(await subject.found(tenant)).toEqual(ALL);
    });
    test.each(words)('words: %s', async (query, found) => {
      expect(await subject.found(tenant, query)).toEqual(found);
    });
    test.each(phrases)('phrases: %s', async (query, found) => {
      expect(await subject.found(tenant, query)).toEqual(found);
    });
    test.each(operators)('operators: %s', async (query, found) => {
      expect(await subject.found(tenant, query)).toEqual(found);
    });
    test.each(trees)('trees: %s', async (_, where, found) => {
      expect(await subject.found(tenant, { where })).toEqual(found);
    });
    test('a prefix finds all words that begin so, however many they are', async () => {
      const own = subject.newTenant();
      const documents = Array.from({ length: 400 }, (_, i) => ({ id: `d${i}`, title: `order serial${i}x`, content: `carton-${i}x` }));
      await subject.add(own, documents);
      for (const query of ['serial*', 'order-serial*', 'body:carton*', 'car* ser*']) {
        expect(await subject.search(own, { q: query, limit: 1 })).toMatchObject({ total: 400 });
      }
    });
    test.each(['relevance', 'newest', 'oldest'] as const)('%s finds the same', async (sort) => {
      expect(await subject.found(tenant, { q: 'bridge -friday', sort })).toEqual(['lunch', 'plan']);
    });
  });
}
