import { fold, foldEmoji, MAX_WORD_LENGTH } from './folding';

/** A word of a text as it is compared. Han, Kana and Hangul give overlapping pairs, a lone character itself. */
export interface Word {
  /** Folded: see `fold`. */
  text: string;
  /** From where to where it stands in the text, in UTF-16 units. */
  start: number;
  end: number;
}

/** Writing without spaces between words, and Hangul, whose words carry endings. */
const CJK = String.raw`[[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]&&[\p{L}\p{N}\p{M}]]`;
const LETTER = String.raw`[[\p{L}\p{N}\p{M}]--${CJK}]`;
const PICTURE = String.raw`[\p{Extended_Pictographic}--[©®™〰〽]]\uFE0F?\p{Emoji_Modifier}?`;
const FLAG = String.raw`\p{Regional_Indicator}{2}|🏴[\u{E0020}-\u{E007F}]+`;
/** Marks belong to what they stand on, in whatever script that is. */
const FINDER = new RegExp(`(${LETTER}+)|(${CJK}[${CJK}\\p{M}]*)|${FLAG}|${PICTURE}(?:\\u200D${PICTURE})*`, 'gv');

/** What counts as one character of Han, Kana or Hangul: with its marks, the voiced signs of half width, and Hangul written in parts. */
const CHARACTER =
  /[\u1100-\u115F\uA960-\uA97C][\u1160-\u11A7\uD7B0-\uD7C6]?[\u11A8-\u11FF\uD7CB-\uD7FB]?\p{M}*|[^\p{M}][\p{M}\uFF9E\uFF9F]*|\p{M}+/gu;
/** A longer run without a space is cut, as the other engine does. */
const PIECES = new RegExp(`.{1,${MAX_WORD_LENGTH}}`, 'gsu');

/** The words of a text in their order; what is neither letter, digit, mark nor emoji only separates. */
export function words(text: string): Word[] {
  const found: Word[] = [];
  for (const match of text.matchAll(FINDER)) {
    const [whole, letters, characters] = match;
    const start = match.index;
    if (letters !== undefined) addWord(found, whole, start);
    else if (characters !== undefined) addPairs(found, whole, start);
    else found.push({ text: foldEmoji(whole), start, end: start + whole.length });
  }
  return found;
}

/** Only what is compared. */
export const foldedWords = (text: string): string[] => words(text).map((word) => word.text);

function addWord(found: Word[], run: string, start: number): void {
  if (run.length <= MAX_WORD_LENGTH) {
    const text = fold(run);
    if (text !== '') found.push({ text, start, end: start + run.length });
    return;
  }
  for (const piece of run.matchAll(PIECES)) {
    const text = fold(piece[0]);
    if (text !== '') found.push({ text, start: start + piece.index, end: start + piece.index + piece[0].length });
  }
}

function addPairs(found: Word[], run: string, start: number): void {
  let before: Word | undefined;
  let pairs = 0;
  for (const { 0: character, index } of run.matchAll(CHARACTER)) {
    const text = fold(character);
    if (text === '') continue;
    const current = { text, start: start + index, end: start + index + character.length };
    if (before) {
      found.push({ text: before.text + text, start: before.start, end: current.end });
      pairs++;
    }
    before = current;
  }
  if (before && pairs === 0) found.push(before);
}
