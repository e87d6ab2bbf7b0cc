import { addressOf, type CorpusMail, corpus, LARGEST_TENANT, vocabulary } from './corpus';
import { SeededRandom } from './seeded-random';

/** What is asked, as SearchRequest has it. */
export interface SearchQuery {
  query: string;
  filters?: string[];
  facets?: string[];
  limit: number;
  offset?: number;
}

export interface QueryKind {
  name: string;
  /** Asked one after the other; different ones, so that no cache answers for all of them. */
  queries: SearchQuery[];
  /** The answers behind the first are asked for by page token, until so many were asked for. */
  pages?: number;
}

const LIMIT = 10;
const DIFFERENT = 100;
/** Places in the vocabulary, the most frequent word being 0. */
const COMMON = { from: 10, to: 110 };
const RARE = { from: 8000, to: 20_000 };
const DEEP_OFFSET = 9900;
/** More than an offset may be: 110 pages of 100. */
const DEEP_PAGES = { size: 100, pages: 110 };

/** What is searched for in the largest tenant: the same for the same corpus. */
export function queryKinds(seed: number, count: number): QueryKind[] {
  const random = new SeededRandom(seed + 1);
  const words = vocabulary();
  const word = ({ from, to }: typeof COMMON) => words[random.integer(from, to)] ?? '';
  const phrases = phrasesOf(seed, count, random);
  const times = (ask: (index: number) => Omit<SearchQuery, 'limit'> & { limit?: number }): SearchQuery[] =>
    Array.from({ length: DIFFERENT }, (_, index) => ({ limit: LIMIT, ...ask(index) }));
  const operators = [
    () => `from:${surname(words, random)} has:attachment`,
    () => `subject:${word(COMMON)} after:2026-03-01 -${word(COMMON)}`,
    () => `is:delivered larger:100K ${word(COMMON)}`,
    () => `to:${surname(words, random)} before:2026-06-01`,
    () => `${word(COMMON)} OR ${word(RARE)} filename:pdf`,
  ];
  return [
    { name: 'rare word', queries: times(() => ({ query: word(RARE) })) },
    { name: 'common word', queries: times(() => ({ query: word(COMMON) })) },
    { name: 'two words', queries: times(() => ({ query: `${word(COMMON)} ${word({ from: 200, to: 2000 })}` })) },
    { name: 'phrase', queries: times((index) => ({ query: `"${phrases[index % phrases.length]}"` })) },
    { name: 'operator', queries: times((index) => ({ query: operators[index % operators.length]?.() ?? '' })) },
    { name: 'facet', queries: times(() => ({ query: word(COMMON), facets: ['status', 'from', 'metadata.campaign'] })) },
    { name: 'deep page, offset', queries: times(() => ({ query: word({ from: 0, to: 20 }), offset: DEEP_OFFSET })) },
    { name: 'deep page, token', queries: [{ query: words[0] ?? '', limit: DEEP_PAGES.size }], pages: DEEP_PAGES.pages },
  ];
}

const surname = (words: readonly string[], random: SeededRandom): string =>
  /\.(\w+)@/.exec(addressOf(words, random.integer(0, 200)))?.[1] ?? '';

/** Two words that stand beside each other in a mail of the largest tenant. */
function phrasesOf(seed: number, count: number, random: SeededRandom): string[] {
  const phrases: string[] = [];
  for (const { tenant, content } of corpus(seed, Math.min(count, 5 * DIFFERENT)) as Iterable<CorpusMail>) {
    if (tenant !== LARGEST_TENANT) continue;
    const words = content.split(' ');
    const at = random.integer(0, Math.max(0, words.length - 2));
    const [first, second] = [words[at], words[at + 1]];
    if (first && second && !first.endsWith('.')) phrases.push(`${first} ${second.replace('.', '')}`.toLowerCase());
    if (phrases.length === DIFFERENT) break;
  }
  return phrases;
}
