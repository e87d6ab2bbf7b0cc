import { InvalidArgumentError } from '@sky-genesis/grpc/rule-error';
import type { Answer } from '../src/engines/search.engine';
import type { QueryNode } from '../src/query/query';
import { MAX_CLAUSES, MAX_DEPTH, MAX_FUZZY_LENGTH, MAX_PREFIXES, MAX_QUERY_LENGTH } from '../src/query/query-limits';
import { type DocumentParts, type EngineUnderTest, indexed } from './engine-under-test';

const inputs: [name: string, text: string][] = [
  ['10,000 characters', 'a'.repeat(10_000)],
  ['10,000 characters without a space in Han', '東京'.repeat(5000)],
  ['very many words', Array.from({ length: 1500 }, (_, i) => `w${i}`).join(' ')],
  ['one word very many times', 'harbour '.repeat(1250)],
  ['everything, as Lucene writes it', '*:*'],
  ['Lucene syntax', '+title:(foo AND "bar baz"~10) -x^4 [a TO z] {1 TO *} /re.*/ && || ! \\'],
  ['a regular expression that explodes', '/(a+)+$/ (a|aa)*b'],
  ['JSON', '{"match_all":{},"script":{"source":"1"}}'],
  ['nested quotes', '"""\'"`\'\'"` "a "b "c" d" e"'],
  ['tsquery syntax', "a & b | !c <-> d:*ABCD <2> ('e')"],
  ['SQL', "'; drop table document; -- \\'; $$ select pg_sleep(10) $$ %s $1 ?"],
  ['script tags', '<script>alert(1)</script>'],
  ['NUL', 'a\u0000b \u0000'],
  ['lone surrogates', '\uD800 a\uDC00b \uDBFF'],
  ['controls', Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)).join('x')],
  ['wildcards', '*** ?*? **a** %_%'],
  ['very many quotes and brackets', '("'.repeat(2000)],
  ['marks without a letter', '\u0301'.repeat(3000)],
  ['a letter with very many marks', `a${'\u0301'.repeat(3000)}`],
  ['emoji joined without end', '👨‍'.repeat(1000)],
  ['what folds to much more', 'ﷺ'.repeat(500)],
  ['right to left overrides', '\u202E\u202D'.repeat(500)],
];

const SOON_MS = 3000;

const kinds = ['phrase', 'prefix', 'fuzzy'] as const;

const documents: [name: string, parts: Omit<DocumentParts, 'id'>][] = [
  [
    'a content of 1 MiB of words',
    {
      content: Array.from({ length: 130_000 }, (_, i) => `w${i % 50_000}`)
        .join(' ')
        .slice(0, 1_048_576),
    },
  ],
  ['a content of 1 MiB of one word', { content: 'x'.repeat(1_048_576) }],
  [
    'a content of 1 MiB of different words of Han',
    { content: Array.from({ length: 340_000 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7919) % 20_000))).join('') },
  ],
  ['a content of 1 MiB of punctuation', { content: '."-'.repeat(349_000) }],
  ['a content of 1 MiB of emoji', { content: '🚀'.repeat(262_000) }],
  ['very long words', { content: Array.from({ length: 100 }, (_, i) => `${i}${'y'.repeat(5000)}`).join(' ') }],
  ['a title of 998 characters', { title: '東'.repeat(998) }],
  ['values of 1024 bytes', { attributes: { from: ['z'.repeat(1024)], to: ['é'.repeat(512), '🚀'.repeat(256)] } }],
  ['1000 recipients', { attributes: { to: Array.from({ length: 1000 }, (_, i) => `someone.with.a.name.${i}@an.example.org`) } }],
  ['controls', { content: 'a\u0001b\u0007\u001b[31m\u009f', attributes: { from: ['\u0001x\u0002'], note: ['\u001f', ''] } }],
  [
    'the largest numbers',
    { timestamp: 2 ** 53 - 1, version: 2 ** 53 - 1, attributes: { size: ['999999999999999', '-999999999999999.999999999'] } },
  ],
];

export function describeHostileInput(subject: EngineUnderTest): void {
  describe('hostile input', () => {
    describe('asked', () => {
      const tenant = subject.newTenant();
      beforeAll(() => subject.add(tenant, [{ id: 'd', title: 'harbour', content: 'a river', attributes: { from: ['someone'] } }]));

      test.each(inputs)("typed: %s: an answer, or an error that is the caller's", async (_, text) => {
        for (const asked of [{ q: text }, { q: `from:"${text}"` }, { filters: [text] }, { filters: [`from:${text}`] }]) {
          const begin = performance.now();
          const outcome = await Promise.resolve()
            .then(() => subject.search(tenant, asked))
            .catch((error: unknown) => error);
          expect(performance.now() - begin).toBeLessThan(SOON_MS);
          if (outcome instanceof Error) expect(outcome).toBeInstanceOf(InvalidArgumentError);
          else expect((outcome as Answer).total).toBe((outcome as Answer).hits.length);
        }
      });

      // What an engine is given is bounded by the parser, and well-formed.
      test.each(inputs)('as trees: %s: an answer, and soon', async (_, whole) => {
        const text = [...whole.replaceAll(/[\p{Cc}\p{Cs}]/gu, ' ')].slice(0, MAX_QUERY_LENGTH).join('');
        const oneWord = [...(/\S+/.exec(text)?.[0] ?? '')].slice(0, MAX_FUZZY_LENGTH).join('');
        for (const match of kinds) {
          const node: QueryNode = { kind: 'text', text: match === 'fuzzy' ? oneWord : text, match };
          for (const where of [node, { kind: 'not', of: { ...node, field: 'from' } }] satisfies QueryNode[]) {
            const begin = performance.now();
            const { hits, total } = await subject.search(tenant, { where });
            expect(total).toBe(hits.length);
            expect(performance.now() - begin).toBeLessThan(SOON_MS);
          }
        }
        const { hits } = await subject.search(tenant, { where: { kind: 'equals', field: 'from', values: [text] } });
        expect(hits).toEqual([]);
      });

      test('a tree as large as the parser lets through', async () => {
        const leaf = (i: number): QueryNode => ({ kind: 'text', text: `word${i} harb`, match: i < MAX_PREFIXES ? 'prefix' : 'phrase' });
        const any: QueryNode = { kind: 'any', of: Array.from({ length: MAX_CLAUSES - 1 }, (_, i) => leaf(i)) };
        const found: QueryNode = { kind: 'any', of: [any, { kind: 'text', text: 'harbour', match: 'phrase' }] };
        expect(await subject.ids(tenant, { where: found })).toEqual(['d']);
        let where: QueryNode = any;
        for (let depth = 2; depth < MAX_DEPTH; depth++) where = depth % 2 ? { kind: 'all', of: [where] } : { kind: 'not', of: where };
        expect((await subject.search(tenant, { where })).total).toBe(MAX_DEPTH % 4 === 0 ? 1 : 0);
      });
    });

    describe('indexed', () => {
      test.each(documents)('%s: the document is there, and its neighbours are', async (_, parts) => {
        const tenant = subject.newTenant();
        const hostile = indexed(tenant, { id: 'hostile', url: '/hostile', ...parts });
        const outcomes = await subject.write([indexed(tenant, { id: 'before' }), hostile, indexed(tenant, { id: 'after' })]);
        expect(outcomes).toEqual(['created', 'created', 'created']);
        expect(await subject.found(tenant)).toEqual(['after', 'before', 'hostile']);
        const { hits } = await subject.search(tenant, { where: { kind: 'equals', field: 'id', values: ['hostile'] } });
        expect([...(hits[0]?.content ?? '')].length).toBeLessThanOrEqual(300);
        if (parts.timestamp !== undefined) expect(hits[0]?.timestamp).toBe(parts.timestamp);
      });

      test('the last word of 1 MiB is found', async () => {
        const tenant = subject.newTenant();
        const content = `${'some words of no interest '.repeat(40_000)} lastly`;
        await subject.add(tenant, [{ id: 'long', content }]);
        expect(await subject.ids(tenant, 'lastly')).toEqual(['long']);
        expect(await subject.ids(tenant, '"interest lastly"')).toEqual(['long']);
        expect(await subject.ids(tenant, '"interest some words"')).toEqual(['long']);
      });

      test('a word too long to be kept whole does no harm to the words beside it', async () => {
        const tenant = subject.newTenant();
        await subject.add(tenant, [{ id: 'long', content: `first ${'q'.repeat(40_000)} second` }]);
        expect(await subject.ids(tenant, 'first second')).toEqual(['long']);
        expect(await subject.ids(tenant, '"first second"')).toEqual([]);
      });

      test('ids as hostile as they may be', async () => {
        const tenant = subject.newTenant();
        const ids = ['../..', '*', '"', "'; --", '{"a":1}', 'a|b', '%', ' ', '東京', '🚀', '_search', 'x'.repeat(256), '東'.repeat(85)];
        await subject.add(
          tenant,
          ids.map((id) => ({ id })),
        );
        expect(await subject.found(tenant)).toEqual([...ids].sort());
        expect([...(await subject.engine.findable(tenant, ['document'], ids))].sort()).toEqual([...ids].sort());
        for (const id of ids) expect(await subject.ids(tenant, { where: { kind: 'equals', field: 'id', values: [id] } })).toEqual([id]);
      });
    });
  });
}
