import type { QueryNode, TextField } from './query';
import { hasChineseJapaneseOrKorean, lastWord, lengthInLetters } from './query-characters';
import { queryError } from './query-error';
import { MAX_FUZZY_LENGTH, MIN_FUZZY_LENGTH, MIN_PREFIX_LENGTH } from './query-limits';
import type { Token } from './query-tokens';

export type TextNode = Extract<QueryNode, { kind: 'text' }>;

/**
 * What a word or a phrase looks for. A star or a tilde means something directly behind a word only: `**bold**`, `~/.profile`
 * and `a.*` are text.
 * @throws InvalidArgumentError
 */
export function textOf(token: Extract<Token, { kind: 'word' | 'phrase' }>, field: TextField | undefined): TextNode {
  const { position } = token;
  const where = field === undefined ? {} : { field };
  const stem = token.kind === 'phrase' ? token.text : token.text.slice(0, -1);
  const mark = token.kind === 'phrase' ? (token.prefix ? '*' : '') : token.text.slice(-1);
  const word = lastWord(stem);
  if (mark === '*' && word !== '') {
    checkPrefix(word, position);
    return { kind: 'text', ...where, text: stem, match: 'prefix' };
  }
  if (mark === '~' && word !== '') {
    checkFuzzy(stem, word, field, position);
    return { kind: 'text', ...where, text: stem, match: 'fuzzy' };
  }
  return { kind: 'text', ...where, text: token.text, match: 'phrase' };
}

function checkPrefix(word: string, position: number): void {
  if (lengthInLetters(word) >= MIN_PREFIX_LENGTH || hasChineseJapaneseOrKorean(word)) return;
  throw queryError(position, `a * needs at least ${MIN_PREFIX_LENGTH} letters or digits before it`);
}

function checkFuzzy(stem: string, word: string, field: TextField | undefined, position: number): void {
  const length = lengthInLetters(word);
  if (stem !== word || length < MIN_FUZZY_LENGTH || length > MAX_FUZZY_LENGTH) {
    throw queryError(
      position,
      `a ~ needs one word of ${MIN_FUZZY_LENGTH} to ${MAX_FUZZY_LENGTH} letters and digits before it; in quotes it is text`,
    );
  }
  if (hasChineseJapaneseOrKorean(word)) throw queryError(position, 'a ~ is not for Chinese, Japanese and Korean');
  if (field === 'content') throw queryError(position, 'a ~ cannot be looked for with body:');
}
