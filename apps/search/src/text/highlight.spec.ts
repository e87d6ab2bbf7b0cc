import { parseQuery } from '../query/parse-query';
import { type FieldText, highlight } from './highlight';
import { positiveTexts, type TextNode } from './positive-texts';
import { TextMatches } from './text-matches';

const texts = (query: string): TextNode[] => positiveTexts(parseQuery(query));
const inContent = (query: string, text: string): string[] => highlight(new TextMatches(texts(query)), [{ field: 'content', text }]);
const plain = (html: string): string => html.replaceAll(/<\/?mark>/g, '');

test.each([
  ['bridge', 'Over the Bridge.', 'Over the <mark>Bridge</mark>.'],
  ['over go', 'Over the bridge we go', '<mark>Over</mark> the bridge we <mark>go</mark>'],
  ['"the bridge"', 'the river, the bridge', 'the river, <mark>the bridge</mark>'],
  ['"the bridge" river', 'the bridge', '<mark>the bridge</mark>'],
  ['bri*', 'a bridge of bronze', 'a <mark>bridge</mark> of bronze'],
  ['cafe', 'Das Café', 'Das <mark>Café</mark>'],
  ['strasse', 'In der Straße 5', 'In der <mark>Straße</mark> 5'],
  ['node.js', 'in node.js by', 'in <mark>node.js</mark> by'],
  ['東京都', '私は東京都に', '私は<mark>東京都</mark>に'],
  ['カタカナ', 'ｶﾀｶﾅ', '<mark>ｶﾀｶﾅ</mark>'],
  ['👍🏽', 'well 👍🏽 done', 'well <mark>👍🏽</mark> done'],
  ['שלום', 'שָׁלוֹם עולם', '<mark>שָׁלוֹם</mark> עולם'],
  ['كتاب', 'كِتَاب', '<mark>كِتَاب</mark>'],
  ['bridge -river', 'bridge', '<mark>bridge</mark>'],
  ['script', '<script>alert("1")</script>', '&lt;<mark>script</mark>&gt;alert(&quot;1&quot;)&lt;/<mark>script</mark>&gt;'],
  ['fake', '<mark>fake</mark>', '&lt;mark&gt;<mark>fake</mark>&lt;/mark&gt;'],
  ['mark', '<mark>', '&lt;<mark>mark</mark>&gt;'],
  ['amp', '&amp; &lt;', '&amp;<mark>amp</mark>; &amp;lt;'],
  ['"a b"', 'a"><b', '<mark>a&quot;&gt;&lt;b</mark>'],
  ["it's", "it's", '<mark>it&#39;s</mark>'],
])('%s in %s', (query, text, expected) => {
  expect(inContent(query, text)).toEqual([expected]);
});

test('a word that looks like it is marked', () => {
  const matches = new TextMatches([{ kind: 'text', text: 'bridgw', match: 'fuzzy' }]);
  expect(highlight(matches, [{ field: 'title', text: 'The bridge and bread' }])).toEqual(['The <mark>bridge</mark> and bread']);
  expect(highlight(matches, [{ field: 'content', text: 'The bridge' }])).toEqual([]);
});

test.each(['', '-bridge', 'is:sent', '!!'])('nothing asked for, nothing shown: %j', (query) => {
  expect(inContent(query, 'bridge sent')).toEqual([]);
});

test('a word asked of one field is marked there alone', () => {
  const values: FieldText[] = [
    { field: 'title', text: 'bridge' },
    { field: 'from', text: 'bridge' },
    { field: 'content', text: 'bridge' },
  ];
  expect(highlight(new TextMatches(texts('subject:bridge')), values)).toHaveLength(1);
  expect(highlight(new TextMatches(texts('from:bridge')), values)).toHaveLength(1);
  expect(highlight(new TextMatches(texts('bridge')), values)).toHaveLength(3);
});

test('the title first, then attributes, then the content; 5 at most', () => {
  const names = Array.from({ length: 10 }, (_, i): FieldText => ({ field: 'to', text: `bridge ${i}` }));
  const content: FieldText = { field: 'content', text: `${'x '.repeat(200)}bridge `.repeat(10) };
  const found = highlight(new TextMatches(texts('bridge')), [...names, content, { field: 'title', text: 'a bridge' }]);
  expect(found.slice(0, 3)).toEqual(['a <mark>bridge</mark>', '<mark>bridge</mark> 0', '<mark>bridge</mark> 1']);
  expect(found).toHaveLength(5);
  expect(highlight(new TextMatches(texts('bridge')), names)).toHaveLength(5);
});

test('fragments with more of what was asked for are taken first', () => {
  const filler = 'words of no interest '.repeat(20);
  const found = inContent('bridge river', `${`bridge ${filler}`.repeat(8)} bridge and river`);
  expect(found).toHaveLength(5);
  expect(found.at(-1)).toContain('<mark>bridge</mark> and <mark>river</mark>');
});

test('a fragment is about 150 characters of whole words', () => {
  const [fragment = ''] = inContent('bridge', `${'some words '.repeat(100)}bridge ${'some words '.repeat(100)}`);
  expect(plain(fragment).length).toBeGreaterThan(100);
  expect(plain(fragment).length).toBeLessThan(200);
  expect(plain(fragment)).toMatch(/^(some|words) .*(some|words)$/);
});

test.each(['&', '<', '"', "'", '😀', '👍🏽', '👨‍👩‍👧', 'e\u0301', '東'])('nothing is cut in two at its borders: %s', (part) => {
  for (let offset = 0; offset < part.length + 3; offset++) {
    const text = `${'.'.repeat(offset)}${part.repeat(200)} bridge ${part.repeat(200)}`;
    for (const fragment of inContent('bridge', text)) {
      expect(fragment.isWellFormed()).toBe(true);
      const source = plain(fragment).replaceAll(
        /&(amp|lt|quot|#39);/g,
        (_, name: string) => ({ amp: '&', lt: '<', quot: '"' })[name] ?? "'",
      );
      expect(text).toContain(source);
      expect(source.replaceAll(part, '')).toMatch(/^[. ]*bridge *$/);
    }
  }
});

test.each([
  ['a word that is everywhere', 'a', 'a '.repeat(500_000)],
  ['a phrase that almost is', `"${'a '.repeat(400)}b"`, 'a '.repeat(500_000)],
  ['a phrase that is one mark without end', `"${'a '.repeat(400)}"`, 'a '.repeat(500_000)],
  ['a prefix', 'xy*', 'xyz yx '.repeat(150_000)],
  ['words that look alike', 'bridgw~', Array.from({ length: 15_000 }, (_, i) => `brid${i}`).join(' ')],
])('very much of %s ends soon, and shows no more than elsewhere', (_, query, text) => {
  const begin = process.cpuUsage();
  const found = highlight(new TextMatches(texts(query)), [{ field: query.endsWith('~') ? 'to' : 'content', text }]);
  // Of the processor, as others may use it, too.
  expect(process.cpuUsage(begin).user / 1000).toBeLessThan(3000);
  expect(found.length).toBeLessThanOrEqual(5);
  expect(Math.max(0, ...found.map((fragment) => plain(fragment).length))).toBeLessThan(300);
});
