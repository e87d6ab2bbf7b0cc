import { foldedWords } from './words';

/** Longer words are not compared with misspelled ones. */
export const MAX_FUZZY_LENGTH = 64;

/** A word that may be misspelled, and what counts as the same one. */
export interface FuzzyWord {
  word: string;
  /** Characters added, left out or changed, at most. */
  edits: number;
  /** It with two neighbours in each other's place, which is one slip though two edits. */
  swapped: string[];
}

/** Undefined where it is no single word, or one that is only looked for as it is: very short or very long. */
export function fuzzyWordOf(text: string): FuzzyWord | undefined {
  const [word, ...more] = foldedWords(text);
  if (word === undefined || more.length > 0) return undefined;
  const characters = Array.from(word);
  if (characters.length < 3 || word.length > MAX_FUZZY_LENGTH) return undefined;
  return { word, edits: characters.length > 5 ? 2 : 1, swapped: swappedOf(characters) };
}

function swappedOf(characters: readonly string[]): string[] {
  const swapped = characters
    .slice(1)
    .map((second, i) => [...characters.slice(0, i), second, characters[i], ...characters.slice(i + 2)].join(''));
  return [...new Set(swapped)];
}

/** Whether a word is close enough. */
export function resembles({ word, edits, swapped }: FuzzyWord, other: string): boolean {
  if (word === other || swapped.includes(other)) return true;
  const [a, b] = [Array.from(word), Array.from(other)];
  if (Math.abs(a.length - b.length) > edits) return false;
  return distance(a, b) <= edits;
}

function distance(a: readonly string[], b: readonly string[]): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, character] of a.entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (character === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
