import { isOperator, type OperatorName } from './operators';
import { QUOTE, SPACE } from './query-characters';
import { queryError } from './query-error';
import { MAX_QUERY_LENGTH } from './query-limits';

/** `position`: of its first character, in characters (code points), from 1. */
export type Token = { position: number } & (
  | { kind: 'word'; text: string }
  /** `prefix`: a star stands directly behind the closing quote. */
  | { kind: 'phrase'; text: string; prefix: boolean }
  | { kind: 'operator'; name: OperatorName }
  | { kind: 'and' | 'or' | 'not' | 'minus' | 'open' | 'close' | 'end' }
);

const KEYWORDS: ReadonlyMap<string, 'and' | 'or' | 'not'> = new Map([
  ['AND', 'and'],
  ['OR', 'or'],
  ['NOT', 'not'],
]);

/** An operator's name is ASCII: its length is the same in characters and in UTF-16. */
const OPERATOR = /^([a-z_]+):/i;
const LONGEST_OPERATOR = 'newer_than:'.length;

/**
 * Cuts a query into tokens, the last of them `end`. Each character is looked at a bounded number of times.
 * @throws InvalidArgumentError for one that is too long, or has a quote that is never closed
 */
export function readTokens(query: string): Token[] {
  const characters = charactersOf(query);
  const tokens: Token[] = [];
  let at = 0;

  const endsAt = (index: number, ends: (character: string) => boolean): number => {
    let end = index;
    for (let character = characters[end]; character !== undefined && !ends(character); character = characters[end]) end += 1;
    return end;
  };
  const operatorAt = (index: number): OperatorName | undefined => {
    const name = OPERATOR.exec(characters.slice(index, index + LONGEST_OPERATOR).join(''))?.[1]?.toLowerCase();
    return name !== undefined && isOperator(name) ? name : undefined;
  };
  const readPhrase = (position: number): Token => {
    const end = endsAt(at + 1, isQuote);
    if (end === characters.length) throw queryError(position, 'this quote is never closed');
    const text = characters.slice(at + 1, end).join('');
    const prefix = characters[end + 1] === '*';
    at = end + (prefix ? 2 : 1);
    return { kind: 'phrase', text: text.replace(/ +/g, ' ').trim(), prefix, position };
  };
  const readWord = (position: number): Token => {
    const name = operatorAt(at);
    if (name !== undefined) {
      at += name.length + 1;
      return { kind: 'operator', name, position };
    }
    const start = at;
    at = endsAt(at, endsWord);
    const text = characters.slice(start, at).join('');
    const keyword = KEYWORDS.get(text);
    return keyword ? { kind: keyword, position } : { kind: 'word', text, position };
  };
  const readMark = (kind: 'open' | 'close' | 'minus', position: number): Token => {
    at += 1;
    return { kind, position };
  };

  for (let character = characters[at]; character !== undefined; character = characters[at]) {
    const position = at + 1;
    if (character === ' ') at += 1;
    else if (character === '(') tokens.push(readMark('open', position));
    else if (character === ')') tokens.push(readMark('close', position));
    else if (character === '-' && isNegated(characters[at + 1])) tokens.push(readMark('minus', position));
    else if (isQuote(character)) tokens.push(readPhrase(position));
    else tokens.push(readWord(position));
  }
  return [...tokens, { kind: 'end', position: characters.length + 1 }];
}

/** With a plain space for each that counts as white space. */
function charactersOf(query: string): string[] {
  // A character is two code units at most: what is longer is not even looked at.
  const characters = Array.from(query.slice(0, 2 * (MAX_QUERY_LENGTH + 1)));
  if (characters.length > MAX_QUERY_LENGTH) {
    throw queryError(MAX_QUERY_LENGTH + 1, `the query must be at most ${MAX_QUERY_LENGTH} characters`);
  }
  return characters.map((character) => (SPACE.test(character) ? ' ' : character));
}

const isQuote = (character: string): boolean => QUOTE.test(character);
const endsWord = (character: string): boolean => character === ' ' || character === '(' || character === ')' || isQuote(character);

/** A minus negates what stands directly behind it; a dash between words, or several of them, do not. */
const isNegated = (next: string | undefined): boolean => next !== undefined && next !== ' ' && next !== '-' && next !== ')';
