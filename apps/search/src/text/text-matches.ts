import type { TextField } from '../query/query';
import { fuzzyWordOf, resembles } from './fuzzy-word';
import type { TextNode } from './positive-texts';
import { foldedWords, type Word } from './words';

/** From where to where something matched, in UTF-16 units, and which of the texts asked for it was. */
export interface Span {
  start: number;
  end: number;
  text: number;
}

interface Pattern {
  index: number;
  field: TextField | undefined;
  words: readonly string[];
  prefix: boolean;
  /** Looked for in the title and in attributes only. */
  fuzzy: boolean;
  /** Of a text of one word that is not looked for as it is. */
  test?: (word: string) => boolean;
}

/** More of one text are not marked. */
const MAX_SPANS = 1000;
/** Comparisons within one text, at most: a phrase of one repeated word in a text of that word would take for ever. */
const MAX_COMPARISONS = 2_000_000;

/** Finds in the words of a text what was asked for, as the index finds it. */
export class TextMatches {
  private readonly byFirstWord = new Map<string, Pattern[]>();
  private readonly tested: Pattern[] = [];
  readonly isEmpty: boolean;

  constructor(texts: readonly TextNode[]) {
    for (const [index, text] of texts.entries()) this.add(patternOf(text, index));
    this.isEmpty = this.byFirstWord.size === 0 && this.tested.length === 0;
  }

  /** Whether anything is looked for there. */
  concerns(field: TextField): boolean {
    return [...this.byFirstWord.values()]
      .flat()
      .concat(this.tested)
      .some((pattern) => isIn(pattern, field));
  }

  /** In the order of their beginnings. */
  find(words: readonly Word[], field: TextField): Span[] {
    const spans: Span[] = [];
    const tests = this.tested.filter((pattern) => isIn(pattern, field)).map(({ index, test }) => ({ index, test: remembered(test) }));
    let comparisons = 0;
    for (let i = 0; i < words.length && spans.length < MAX_SPANS && comparisons < MAX_COMPARISONS; i++) {
      const word = words[i] as Word;
      for (const { index, test } of tests) if (test(word.text)) spans.push({ start: word.start, end: word.end, text: index });
      for (const pattern of this.byFirstWord.get(word.text) ?? []) {
        if (!isIn(pattern, field)) continue;
        const length = lengthOfMatch(pattern, words, i);
        comparisons += Math.abs(length);
        if (length > 0) spans.push({ start: word.start, end: (words[i + length - 1] as Word).end, text: pattern.index });
      }
    }
    return spans;
  }

  private add(pattern: Pattern): void {
    const [first] = pattern.words;
    if (first === undefined) return;
    if (pattern.test) this.tested.push(pattern);
    else this.byFirstWord.set(first, [...(this.byFirstWord.get(first) ?? []), pattern]);
  }
}

function patternOf({ text, field, match }: TextNode, index: number): Pattern {
  const words = foldedWords(text);
  const pattern = { index, field, words, prefix: match === 'prefix', fuzzy: match === 'fuzzy' };
  const [only] = words;
  if (only === undefined || words.length > 1) return pattern;
  if (match === 'prefix') return { ...pattern, test: (word) => word.startsWith(only) };
  const fuzzy = match === 'fuzzy' ? fuzzyWordOf(text) : undefined;
  return fuzzy ? { ...pattern, test: (word) => resembles(fuzzy, word) } : pattern;
}

function isIn({ field: asked, fuzzy }: Pattern, field: TextField): boolean {
  return asked === undefined ? !(fuzzy && field === 'content') : asked === field;
}

/** How many words match from there on; as a negative number how many did before one did not. */
function lengthOfMatch({ words: wanted, prefix }: Pattern, words: readonly Word[], from: number): number {
  for (const [i, word] of wanted.entries()) {
    const found = words[from + i]?.text;
    const goesOn = prefix && i === wanted.length - 1;
    if (found === undefined || !(goesOn ? found.startsWith(word) : found === word)) return -(i + 1);
  }
  return wanted.length;
}

/** A text has few different words. */
function remembered(test: Pattern['test']): (word: string) => boolean {
  const known = new Map<string, boolean>();
  return (word) => {
    const before = known.get(word);
    if (before !== undefined) return before;
    const result = test?.(word) ?? false;
    known.set(word, result);
    return result;
  };
}
