/**
 * Counts as white space: besides the usual ones control characters, marks of direction (pasted right-to-left text begins
 * and ends with them), zero-width spaces, and half surrogate pairs, which no engine could take.
 */
export const SPACE = /[\s\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069]/u;

/** Any of them opens and any closes: keyboards and word processors mix them, and „so“, “so”, ”so” and »so« are all in use. */
export const QUOTE = /["“”„‟«»＂]/u;

/** What words are made of; all else separates, save emoji, which are words. */
const WORD_CHARACTER = /[\p{L}\p{N}\p{M}]/u;
const COUNTS_AS_LETTER = /[\p{L}\p{N}]/u;
/** Not those that are punctuation of old, though they may be drawn as pictures. */
const EMOJI = /[[[\p{Extended_Pictographic}\p{Regional_Indicator}]&&\p{So}]--[©®™〽]]/v;
const CHINESE_JAPANESE_KOREAN = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]/u;

/** Whether there is anything in the text that can be looked for. */
export const hasWord = (text: string): boolean => COUNTS_AS_LETTER.test(text) || EMOJI.test(text);

export const hasChineseJapaneseOrKorean = (text: string): boolean => CHINESE_JAPANESE_KOREAN.test(text);

/**
 * The word that the text ends with; '' where it ends with something else. Between Han, Kana or Hangul and other letters
 * a word ends, too.
 */
export function lastWord(text: string): string {
  const characters = Array.from(text);
  const isAnother = isOfAnotherScript(characters.at(-1) ?? '');
  return characters.slice(characters.findLastIndex((character) => !WORD_CHARACTER.test(character) || isAnother(character)) + 1).join('');
}

const isOfAnotherScript = (last: string) => (character: string) =>
  hasChineseJapaneseOrKorean(character) !== hasChineseJapaneseOrKorean(last);

/** Letters and digits, without the marks upon them. */
export const lengthInLetters = (word: string): number => Array.from(word).filter((character) => COUNTS_AS_LETTER.test(character)).length;
