import { textAttributes } from '../../query/query';
import { MAX_FUZZY_LENGTH } from '../../text/fuzzy-word';
import { foldedWords } from '../../text/words';
import type { IndexedDocument } from '../search.engine';
import { FIELD_SIGNS } from './lexemes';
import { TermList } from './term-list';

/** What of a document is searched, as PostgreSQL reads it. */
export interface DocumentTerms {
  /** tsvector: every word, in its field and anywhere, with its places. */
  terms: string;
  /** tsvector: the words that make it rank higher than others with the same words, few enough to be read for each match. */
  ranked: string;
  /** Words of the title, then a line for each of `textAttributes`: what misspelled words are compared with. */
  names: string;
}

/** Words of attributes that rank; a list of a thousand recipients is not about any of them. */
const MAX_RANKED_NAMES = 500;
/** Words that a content says more than once, its most frequent ones. */
const MAX_RANKED_REPEATED = 32;
/** Saying it more often than this does not rank higher. */
const MAX_REPEATS = 4;
const MAX_NAMES_LENGTH = 4000;

export function termsOf({ title, content, attributes }: Pick<IndexedDocument, 'title' | 'content' | 'attributes'>): DocumentTerms {
  const terms = new TermList();
  const titleWords = foldedWords(title);
  terms.add(titleWords, 'A', FIELD_SIGNS.title);
  const names = [titleWords];
  for (const field of textAttributes) {
    const values = (Object.hasOwn(attributes, field) ? (attributes[field] ?? []) : []).map(foldedWords);
    for (const value of values) terms.add(value, 'B', FIELD_SIGNS[field]);
    names.push(values.flat());
  }
  const contentWords = foldedWords(content);
  terms.add(contentWords, 'D');
  return {
    terms: terms.toString(),
    ranked: rankedOf(titleWords, names.slice(1).flat(), contentWords),
    names: names.map(lineOf).join('\n'),
  };
}

function rankedOf(title: readonly string[], names: readonly string[], content: readonly string[]): string {
  const ranks = new Map<string, string[]>();
  let place = 1;
  const add = (word: string, weight: string) => {
    const places = ranks.get(word);
    if (!places) ranks.set(word, [`${place++}${weight}`]);
    else if (places.length < 2 * MAX_REPEATS) places.push(`${place++}${weight}`);
  };
  for (const word of title) add(word, 'A');
  for (const word of new Set(names.slice(0, MAX_RANKED_NAMES))) add(word, 'B');
  for (const [word, count] of repeated(content)) for (let i = 1; i < Math.min(count, MAX_REPEATS + 1); i++) add(word, 'C');
  return Array.from(ranks, ([word, places]) => `'${word}':${places.join(',')}`).join(' ');
}

function repeated(words: readonly string[]): [word: string, count: number][] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const found = Array.from(counts).filter(([, count]) => count > 1);
  return found.sort(([, a], [, b]) => b - a).slice(0, MAX_RANKED_REPEATED);
}

function lineOf(words: readonly string[]): string {
  let line = '';
  for (const word of new Set(words)) {
    if (word.length > MAX_FUZZY_LENGTH) continue;
    if (line.length + word.length >= MAX_NAMES_LENGTH) break;
    line += line === '' ? word : ` ${word}`;
  }
  return line;
}
