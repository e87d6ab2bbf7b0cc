import { MAX_WORD_LENGTH } from './folding';
import { foldedWords, words } from './words';

const cases: [name: string, text: string, words: string[]][] = [
  ['nothing', '', []],
  ['only separators', ' .,;-_"\'\n\t…–|', []],
  ['case', 'Hello WORLD', ['hello', 'world']],
  [
    'addresses are cut where no letter is',
    'alice@example.com node.js foo_bar a-b',
    ['alice', 'example', 'com', 'node', 'js', 'foo', 'bar', 'a', 'b'],
  ],
  ['letters and digits together', 'C3PO 4711 x2y', ['c3po', '4711', 'x2y']],
  ['accents, composed or not', 'Café cafe\u0301 naïve Ångström', ['cafe', 'cafe', 'naive', 'angstrom']],
  [
    'letters that are others with something on them',
    'Straße Łódź Øre æon cœur Þór đak',
    ['strasse', 'lodz', 'ore', 'aeon', 'coeur', 'thor', 'dak'],
  ],
  ['the large sharp s', 'STRAẞE STRASSE', ['strasse', 'strasse']],
  ['Turkish, whose i has a dot or none', 'İstanbul ISPARTA ılık IŞIK', ['istanbul', 'isparta', 'ilik', 'isik']],
  ['Greek, whose last sigma looks otherwise', 'Αθήνα λόγος ΛΌΓΟΣ', ['αθηνα', 'λογοσ', 'λογοσ']],
  ['Cyrillic', 'Ёлка МОСКВА Київ', ['елка', 'москва', 'киів']],
  ['Arabic with vowel signs and stretched', 'كِتَاب كتاب كـتـاب', ['كتاب', 'كتاب', 'كتاب']],
  ['Hebrew with points, from right to left', 'שָׁלוֹם עולם', ['שלום', 'עולם']],
  ['Indic vowel signs stay', 'नमस्ते', ['नमस्ते']],
  ['Thai has no spaces', 'สวัสดี', ['สวัสดี']],
  ['Han as pairs', '東京都', ['東京', '京都']],
  ['a lone character', '木 x 水', ['木', 'x', '水']],
  ['Han beside Latin', 'abc東京def', ['abc', '東京', 'def']],
  ['Han beside digits', '3月14日', ['3', '月', '14', '日']],
  ['Kana, half width and voiced', 'ｶﾞｷﾞ ガギ ｶﾀｶﾅ', ['ガギ', 'ガギ', 'カタ', 'タカ', 'カナ']],
  ['Kana with a mark of its own', 'か\u3099き', ['がき']],
  ['a long vowel', 'コピー', ['コピ', 'ピー']],
  ['Hangul, whole or in parts', '한국어 \u1112\u1161\u11ab\u1100\u116e\u11a8', ['한국', '국어', '한국']],
  ['Han outside the first plane', '𠀀𠀁𠀂', ['𠀀𠀁', '𠀁𠀂']],
  ['wide letters and digits', 'ＡＢＣ１２３', ['abc123']],
  ['ligatures and circles', 'ﬁnance ① ²', ['finance', '1', '2']],
  ['emoji', 'so🚀happy 🎉🎉', ['so', '🚀', 'happy', '🎉', '🎉']],
  ['emoji with a tone, joined, and flags', '👍🏽👍 👨‍👩‍👧 🇩🇪🇫🇷', ['👍🏽', '👍', '👨‍👩‍👧', '🇩🇪', '🇫🇷']],
  ['a heart as text or as a picture', '❤️ ❤', ['❤', '❤']],
  ['signs that are no emoji', '© ® ™ + = €', []],
  ['what cannot be seen separates', 'ab\u200bcd ef\u00adgh \ufeffij \u200fkl\u200e', ['ab', 'cd', 'ef', 'gh', 'ij', 'kl']],
  ['a joiner alone', '\u200d \u200d\u200d', []],
  ['lone marks', '\u0301\u0301 \u0301', []],
  ['a letter with very many marks', `a${'\u0301'.repeat(100)}b`, ['ab']],
  ['halves of surrogate pairs', 'a\ud800b \udc00c', ['a', 'b', 'c']],
  ['NUL and controls', 'a\u0000b\u0007c', ['a', 'b', 'c']],
];

test.each(cases)('%s', (_, text, expected) => {
  expect(foldedWords(text)).toEqual(expected);
});

test('words know where they stand', () => {
  const text = '  Über 👍🏽 東京都 ｶﾞｷ <b>';
  expect(words(text).map(({ start, end }) => text.slice(start, end))).toEqual(['Über', '👍🏽', '東京', '京都', 'ｶﾞｷ', 'b']);
});

test('a run without end is cut, nothing longer is kept', () => {
  expect(foldedWords('x'.repeat(600)).map(({ length }) => length)).toEqual([255, 255, 90]);
  const folded = foldedWords(`${'ﷺ'.repeat(500)} ${'👨‍'.repeat(1000)} ${'𝔸'.repeat(300)}`);
  expect(Math.max(...folded.map(({ length }) => length))).toBeLessThanOrEqual(MAX_WORD_LENGTH);
  expect(folded.every((word) => word.isWellFormed())).toBe(true);
});

test.each([
  ['words', 'some wörds of no interest 東京 '],
  ['one word', 'x'],
  ['Han', '東京都'],
  ['punctuation', '."-'],
  ['emoji', '🚀'],
  ['joined emoji', '👨‍'],
  ['marks', '\u0301'],
  ['flags', '🇩'],
  ['black flags', '🏴'],
])('1 MiB of %s ends soon', (_, part) => {
  const text = part.repeat(Math.ceil(1_048_576 / Buffer.byteLength(part)));
  const begin = process.cpuUsage();
  words(text);
  // Of the processor, as others may use it, too.
  expect(process.cpuUsage(begin).user / 1000).toBeLessThan(3000);
});
