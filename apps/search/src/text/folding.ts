/** The longest word that is told apart from others, in UTF-16 units; as long as the longest of the Elasticsearch engine. */
export const MAX_WORD_LENGTH = 255;

const PLAIN = /^[0-9a-z]*$/;
const ASCII = /^\p{ASCII}*$/u;
/**
 * Accents of Latin, Greek and Cyrillic, vowel signs of Arabic and Hebrew, what stretches Arabic, variation selectors, what
 * encloses: all but what makes a letter another one in Indic scripts and Kana.
 */
const MARKS = new RegExp(
  [
    String.raw`[\u0300-\u036f]|[\u0483-\u0489]|[\u1ab0-\u1aff]|[\u1dc0-\u1dff]|[\u20d0-\u20f0]|[\ufe20-\ufe2f]`,
    String.raw`[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]`,
    String.raw`[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]|\u0640`,
    String.raw`[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]`,
  ].join('|'),
  'gu',
);
/** What compatibility folding leaves in a word that is none of it, such as the slash of a fraction. */
const NO_PART = /[^\p{L}\p{N}\p{M}]+/gu;

/** Letters that are others with something on them, though Unicode does not take them apart. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ı: 'i',
  ŧ: 't',
  ŋ: 'n',
  ĸ: 'q',
  ƀ: 'b',
  ɨ: 'i',
  ʉ: 'u',
  ȷ: 'j',
  ς: 'σ',
};
const FOLDED_LETTERS = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'gu');

/** A word as it is compared: without case, accents and width. Empty where nothing is left, as of a lone accent. */
export function fold(word: string): string {
  if (PLAIN.test(word)) return bounded(word);
  if (ASCII.test(word)) return bounded(word.toLowerCase());
  const decomposed = word.normalize('NFKC').toLowerCase().normalize('NFKD').replace(MARKS, '');
  const letters = decomposed.replace(FOLDED_LETTERS, (letter) => LETTERS[letter] ?? letter).replace(NO_PART, '');
  return bounded(letters.normalize('NFC'));
}

/** An emoji as it is compared: shown as text or as a picture it is the same one. */
export const foldEmoji = (emoji: string): string => bounded(emoji.replaceAll('\ufe0f', ''));

/** A pair of surrogates is not cut in two. */
const bounded = (word: string): string =>
  word.length <= MAX_WORD_LENGTH ? word : word.slice(0, MAX_WORD_LENGTH).replace(/[\ud800-\udbff]$/, '');
