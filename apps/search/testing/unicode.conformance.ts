import type { QueryNode } from '../src/query/query';
import type { EngineUnderTest } from './engine-under-test';

/** Each text is a document; each query is asked of all of them. */
const texts = {
  cafe: 'Das Café öffnet',
  plain: 'a cafe for naive people',
  decomposed: 'ein Cafe\u0301 mit Nai\u0308vita\u0308t',
  street: 'Straße 5 in Łódź bei Ørsted, cœur, Þór',
  turkish: 'İstanbul ve ılık',
  greek: 'Η Αθήνα είναι όμορφη, λόγος ΛΌΓΟΣ',
  cyrillic: 'Москва и Ёлка, Київ',
  arabic: 'مرحبا بالعالم كِتَاب',
  hebrew: 'שָׁלוֹם עולם',
  hindi: 'नमस्ते दुनिया',
  thai: 'สวัสดี',
  tokyo: '私は東京都に住んでいます',
  katakana: 'コンピューター と ひらがな',
  halfwidth: 'ｶﾀｶﾅ ＡＢＣ１２３',
  hangul: '한국어 검색',
  chinese: '中文搜索引擎',
  lone: '木 only',
  emoji: 'launch 🚀 today 👍🏽 and 👨‍👩‍👧 with 🇩🇪',
  marks: '\u200Fabc\u200E \u202Bdef\u202C gh\u200Bij kl\u00ADmn \uFEFFopq',
  ligature: 'ﬁnance ① ²',
  joined: 'foo_bar foo-baz x+y don\u2019t o\u0027clock 3.14 1,000 AB12cd',
  mixed: 'iPhone東京2020モデル',
  control: 'esc\u001bbyte and\u0007bell',
};
type Name = keyof typeof texts;

const cases: [query: string, found: Name[]][] = [
  ['cafe', ['cafe', 'decomposed', 'plain']],
  ['Café', ['cafe', 'decomposed', 'plain']],
  ['CAFE\u0301', ['cafe', 'decomposed', 'plain']],
  ['naive', ['plain']],
  ['naïve', ['plain']],
  ['naivitat', ['decomposed']],
  ['offnet', ['cafe']],
  ['strasse', ['street']],
  ['STRASSE', ['street']],
  ['Straße', ['street']],
  ['lodz', ['street']],
  ['Łódź', ['street']],
  ['orsted', ['street']],
  ['ØRSTED', ['street']],
  ['coeur', ['street']],
  ['istanbul', ['turkish']],
  ['İSTANBUL', ['turkish']],
  ['ılık', ['turkish']],
  ['Αθήνα', ['greek']],
  ['ΑΘΗΝΑ', ['greek']],
  ['αθηνα', ['greek']],
  ['λογος', ['greek']],
  ['ΛΟΓΟΣ', ['greek']],
  ['москва', ['cyrillic']],
  ['МОСКВА', ['cyrillic']],
  ['мос*', ['cyrillic']],
  ['київ', ['cyrillic']],
  ['مرحبا', ['arabic']],
  ['"مرحبا بالعالم"', ['arabic']],
  ['"بالعالم مرحبا"', []],
  ['كتاب', ['arabic']],
  ['שלום', ['hebrew']],
  ['"שלום עולם"', ['hebrew']],
  ['नमस्ते', ['hindi']],
  ['สวัสดี', ['thai']],
  ['東京', ['mixed', 'tokyo']],
  ['京都', ['tokyo']],
  ['東京都', ['tokyo']],
  ['東都', []],
  ['"東京都に住"', ['tokyo']],
  ['京東', []],
  ['住んでいます', ['tokyo']],
  ['コンピューター', ['katakana']],
  ['コンピュ', ['katakana']],
  ['ひらがな', ['katakana']],
  ['カタカナ', ['halfwidth']],
  ['ｶﾀｶﾅ', ['halfwidth']],
  ['abc123', ['halfwidth']],
  ['ＡＢＣ１２３', ['halfwidth']],
  ['ｃａｆｅ', ['cafe', 'decomposed', 'plain']],
  ['한국', ['hangul']],
  ['한국어', ['hangul']],
  ['검색', ['hangul']],
  ['국검', []],
  ['搜索', ['chinese']],
  ['中文搜索', ['chinese']],
  ['文中', []],
  ['木', ['lone']],
  ['🚀', ['emoji']],
  ['launch 🚀', ['emoji']],
  ['"launch 🚀 today"', ['emoji']],
  ['🎉', []],
  ['👍🏽', ['emoji']],
  ['abc', ['marks']],
  ['def', ['marks']],
  ['"abc def"', ['marks']],
  ['\u200Fabc', ['marks']],
  ['opq', ['marks']],
  ['finance', ['ligature']],
  ['foo', ['joined']],
  ['bar', ['joined']],
  ['foo_bar', ['joined']],
  ['"foo baz"', ['joined']],
  ['foo-baz', ['joined']],
  ['x+y', ['joined']],
  ['ab12cd', ['joined']],
  ['ab12', []],
  ['ab12*', ['joined']],
  ['3.14', ['joined']],
  ['"3 14"', ['joined']],
  ['don', ['joined']],
  ["don't", ['joined']],
  ['clock', ['joined']],
  ['1,000', ['joined']],
  ['1000', []],
  ['kl', ['marks']],
  ['klmn', []],
  ['gh', ['marks']],
  ['iphone', ['mixed']],
  ['iphone東京', ['mixed']],
  ['2020', ['mixed']],
  ['モデル', ['mixed']],
  ['デモ', []],
  ['byte', ['control']],
  ['bell', ['control']],
];

export function describeUnicode(subject: EngineUnderTest): void {
  describe('unicode', () => {
    const tenant = subject.newTenant();
    beforeAll(() =>
      subject.add(
        tenant,
        Object.entries(texts).map(([id, content]) => ({ id, content })),
      ),
    );

    test.each(cases)('%j', async (query, found) => {
      expect(await subject.found(tenant, query)).toEqual(found);
    });

    describe('in titles and attributes as in the content', () => {
      const other = subject.newTenant();
      beforeAll(() =>
        subject.add(other, [
          { id: 'title', title: 'Café 東京都 🚀 Straße' },
          { id: 'attribute', attributes: { from: ['Café 東京都 🚀 Straße <a@b.example>'] } },
          { id: 'content', content: 'Café 東京都 🚀 Straße' },
        ]),
      );
      test.each(['cafe', '京都', '東京都', '🚀', 'strasse', 'STRASSE cafe', 'stra*'])('%s', async (query) => {
        expect(await subject.found(other, query)).toEqual(['attribute', 'content', 'title']);
        expect(await subject.found(other, `subject:${query.split(' ')[0]}`)).toEqual(['title']);
        expect(await subject.found(other, `from:${query.split(' ')[0]}`)).toEqual(['attribute']);
        expect(await subject.found(other, `body:${query.split(' ')[0]}`)).toEqual(['content']);
      });
      test('fuzzy folds, too', async () => {
        const where: QueryNode = { kind: 'text', text: 'STRASE', match: 'fuzzy' };
        expect(await subject.found(other, { where })).toEqual(['attribute', 'title']);
      });
    });

    describe('what a hit shows', () => {
      const own = subject.newTenant();
      const emoji = '👍🏽 '.repeat(200);
      const long = `${'é'.repeat(299)}😀${'z'.repeat(100)}`;
      const document = {
        title: 'Ünï 東京 👨‍👩‍👧 "quoted" <b>',
        url: '/docs/ü?a=b&c=<d>',
        attributes: { from: ['Zoë <zoe@example.com>', 'second'], empty: [], 'x.y': ['1', '1'] },
        timestamp: 1_700_000_000,
      };
      beforeAll(() =>
        subject.add(own, [
          { id: 'ü "id" <b>/%2F', ...document, content: 'short\nand <b>bold</b>' },
          { id: 'emoji', content: emoji },
          { id: 'long', content: long },
          { id: 'none' },
        ]),
      );
      const hitOf = async (id: string) => (await subject.search(own, { where: { kind: 'equals', field: 'id', values: [id] } })).hits[0];

      test('is what was indexed', async () => {
        const hit = await hitOf('ü "id" <b>/%2F');
        const { empty, ...attributes } = document.attributes;
        expect(empty).toEqual([]);
        expect(hit).toMatchObject({ id: 'ü "id" <b>/%2F', kind: 'document', title: document.title, url: document.url });
        expect(hit).toMatchObject({ content: 'short\nand <b>bold</b>', timestamp: 1_700_000_000, highlights: [] });
        expect(hit?.attributes).toMatchObject(attributes);
        expect(hit?.position.length).toBeLessThanOrEqual(2000);
      });
      test('the content is its first 300 characters, none cut in two', async () => {
        expect((await hitOf('long'))?.content).toBe(`${'é'.repeat(299)}😀`);
        expect((await hitOf('emoji'))?.content).toBe([...emoji].slice(0, 300).join(''));
      });
      test('nothing given, nothing shown', async () => {
        expect(await hitOf('none')).toMatchObject({ title: '', content: '', attributes: {}, timestamp: 0, url: '/documents/none' });
      });
    });
  });
}
