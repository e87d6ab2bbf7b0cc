import type { Asked, DocumentParts, EngineUnderTest } from './engine-under-test';

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Words marked one by one and words marked together are the same to a reader. */
const joined = (highlight: string): string => highlight.replaceAll(/<\/mark>(\s*)<mark>/g, '$1');

/** What a reader sees; throws where something is marked up that is not a `<mark>`. */
function readable(highlight: string): string {
  const text = highlight.replaceAll(/<mark>([^<>]+)<\/mark>/g, '$1');
  if (/[<>"']/.test(text)) throw new Error(`not escaped: ${highlight}`);
  return text.replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));?/gi, (all, hex?: string, decimal?: string, name?: string) => {
    const code = hex !== undefined ? parseInt(hex, 16) : Number(decimal);
    const character = name === undefined ? String.fromCodePoint(code) : ENTITIES[name];
    if (character === undefined) throw new Error(`an unknown entity ${all} in ${highlight}`);
    return character;
  });
}

const marked = (highlights: readonly string[]): string[] =>
  highlights.flatMap((highlight) => [...joined(highlight).matchAll(/<mark>(.*?)<\/mark>/gs)].map(([, text = '']) => text));

const cases: [query: string, document: Omit<DocumentParts, 'id'>, marks: string[]][] = [
  ['bridge', { content: 'Over the Bridge we go' }, ['Bridge']],
  ['bridge', { title: 'The bridge' }, ['bridge']],
  ['bridge', { attributes: { from: ['Bridge Office <office@example.com>'] } }, ['Bridge']],
  ['over go', { content: 'Over the Bridge we go' }, ['Over', 'go']],
  ['"the bridge"', { content: 'Over the Bridge we go' }, ['the Bridge']],
  ['bri*', { content: 'Over the Bridge we go' }, ['Bridge']],
  ['bridgw~', { title: 'Over the Bridge we go' }, ['Bridge']],
  ['bridge -tower', { content: 'Over the Bridge we go' }, ['Bridge']],
  ['bridge OR tower', { content: 'Over the Bridge we go' }, ['Bridge']],
  ['from:bridge', { attributes: { from: ['Bridge Office'], to: ['Bridge Office'] } }, ['Bridge']],
  ['body:bridge', { content: 'Over the Bridge we go' }, ['Bridge']],
  ['cafe', { content: 'Das Café ist zu' }, ['Café']],
  ['strasse', { content: 'In der Straße 5' }, ['Straße']],
  ['node.js', { content: 'written in node.js by me' }, ['node.js']],
  ['東京', { content: '私は東京都に住んでいます' }, ['東京']],
  ['東京都', { content: '私は東京都に住んでいます' }, ['東京都']],
  ['😀', { content: 'so happy 😀 today' }, ['😀']],
  ['bridge', { content: 'Über 👍🏽 the bridge' }, ['bridge']],
  ['bridge', { content: '\uE000\uE001\uF8FF fake \u0001 marks \u0002 the bridge \uE000 more \uE001' }, ['bridge']],
  ['bridge', { content: '@@marks@@ {{bridge}} ${marks} [[b]]' }, ['bridge']],
];

const hostile: string[] = [
  '<script>alert("bridge")</script> bridge',
  '<mark>fake</mark> bridge </mark><mark>',
  '<mark>bridge</mark>',
  '&lt;script&gt; &amp;amp; &quot; bridge &#60;b&#62;',
  '<img src=x onerror="alert(1)" title=\'bridge\'>',
  '<bridge onclick="alert(1)">',
  '<a href="javascript:bridge">bridge</a>',
  '<<<bridge>>> \'bridge\' "bridge" &bridge;',
  '</em><em>bridge</em><b>\u2028bridge\u2029',
  '<!-- bridge --><![CDATA[bridge]]>',
  '\u202Ebridge\u202C <svg/onload=bridge>',
];

export function describeHighlights(subject: EngineUnderTest): void {
  describe('highlights', () => {
    const highlightsOf = async (document: Omit<DocumentParts, 'id'>, asked: Asked | string): Promise<string[]> => {
      const tenant = subject.newTenant();
      await subject.add(tenant, [{ id: 'd', ...document }]);
      const { hits } = await subject.search(tenant, asked);
      expect(hits.map(({ id }) => id)).toEqual(['d']);
      return hits[0]?.highlights ?? [];
    };

    test.each(cases)('%s in %j', async (query, document, marks) => {
      expect(marked(await highlightsOf(document, query)).sort()).toEqual([...marks].sort());
    });

    test.each(hostile)('everything but the marks is escaped: %s', async (content) => {
      for (const document of [{ content }, { title: content.replaceAll(/[\u2028\u2029]/g, ' ') }, { attributes: { from: [content] } }]) {
        const highlights = await highlightsOf(document, 'bridge');
        expect(marked(highlights)).toContain('bridge');
        expect(marked(highlights).filter((text) => text.toLowerCase() !== 'bridge')).toEqual([]);
        const source = content.replaceAll(/\s+/g, ' ');
        for (const highlight of highlights)
          expect(source).toContain(readable(highlight).replaceAll(/\s+/g, ' ').replaceAll('…', '').trim());
      }
    });

    test('5 at most, of about 150 characters each', async () => {
      const sentence = 'The river flows under the old bridge, and nobody who stands there in the evening asks how long it has been so. ';
      const from = Array.from({ length: 50 }, (_, i) => `bridge${i} bridge <bridge@example.com>`);
      const highlights = await highlightsOf(
        { title: 'The bridge', content: sentence.repeat(500), attributes: { from, to: from } },
        'bridge',
      );
      expect(highlights.length).toBeGreaterThanOrEqual(2);
      expect(highlights.length).toBeLessThanOrEqual(5);
      expect(Math.max(...highlights.map((highlight) => readable(highlight).length))).toBeLessThanOrEqual(300);
      expect(highlights.filter((highlight) => !highlight.includes('<mark>bridge</mark>'))).toEqual([]);
    });

    test('a fragment stays short where a text has no spaces', async () => {
      const highlights = await highlightsOf({ content: `${'x'.repeat(5000)} bridge ${'y'.repeat(5000)}` }, 'bridge');
      expect(Math.max(0, ...highlights.map((highlight) => readable(highlight).length))).toBeLessThanOrEqual(11_000);
      expect(marked(highlights)).toEqual(['bridge']);
    });

    test('what is far behind the beginning is shown, too', async () => {
      const highlights = await highlightsOf({ content: `${'some other words '.repeat(10_000)} the bridge at the end` }, 'bridge');
      expect(marked(highlights)).toEqual(['bridge']);
    });

    test.each(['', 'is:sent', '-nowhere', 'has:attachment'])('none where no word was asked for: %j', async (query) => {
      const document = { title: 'sent', content: 'true sent', attributes: { status: ['sent'], has_attachment: ['true'] } };
      expect(await highlightsOf(document, query)).toEqual([]);
    });

    test('what must not be there is not marked', async () => {
      const highlights = await highlightsOf({ title: 'bridge', content: 'the river' }, 'river OR (bridge -tower)');
      expect(marked(highlights).sort()).toEqual(['bridge', 'river']);
    });

    test('a word that was asked of one field is not marked in another one', async () => {
      expect(marked(await highlightsOf({ title: 'bridge', content: 'bridge' }, 'subject:bridge'))).toEqual(['bridge']);
    });
  });
}
