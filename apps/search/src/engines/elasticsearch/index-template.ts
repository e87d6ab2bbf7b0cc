import type { ElasticsearchSettings } from './elasticsearch.settings';

/** Goes up with every change to what is below; an index of an older one has to be rebuilt: `npm run search:reindex`. */
export const TEMPLATE_VERSION = 1;

/** An offset of 10,000, a page of 100 and the one behind it, by which `more` is known. */
export const MAX_RESULT_WINDOW = 10_101;

/** Characters of a text in which matches are looked for to be marked; one match behind that is found, and not marked. */
export const MAX_HIGHLIGHTED_CHARACTERS = 200_000;

const text = { type: 'text', analyzer: 'words', similarity: 'constant', norms: false };
const stored = { type: 'keyword', index: false, doc_values: false };

/** Documents, deletions and checkpoints; nothing else may be written. */
const properties = {
  tenant: { type: 'keyword' },
  id: { type: 'keyword' },
  kind: { type: 'keyword' },
  url: { type: 'keyword' },
  timestamp: { type: 'long' },
  title: text,
  content: text,
  // The beginning of the content apart from it, so that a hit does not have to ship all of it.
  beginning: stored,
  // The attributes whose values are text; in `attributes` they are as well.
  from: text,
  to: text,
  cc: text,
  bcc: text,
  filename: text,
  // Every attribute exactly as given, without a field of the mapping for each name.
  attributes: { type: 'flattened' },
  // The values that are numbers or times. `size`, which every mail has, by itself: an inner document for each mail is saved.
  size: { type: 'double' },
  numbers: { type: 'nested', properties: { name: { type: 'keyword' }, value: { type: 'double' } } },
  // Unix milliseconds; only on a deletion, which stays so that its version is remembered across restarts.
  deleted_at: { type: 'long' },
  // A checkpoint, which has no tenant.
  source: { type: 'keyword' },
  checkpoint: stored,
  through_ms: { type: 'long' },
};

/** Marks that are characters of their own and do not make another word, other than those of Kana and of Indic scripts. */
const ACCENTS = '[\\p{Mn}&&[\\p{IsInherited}\\p{IsLatin}\\p{IsGreek}\\p{IsCyrillic}\\p{IsHebrew}\\p{IsArabic}]&&[^\\u3099\\u309a]]';

/**
 * How text becomes words, in documents and questions alike: accents that are characters of their own go, whatever is
 * neither letter, digit, mark nor symbol becomes one blank (so that marks in the original stay where they are), Hangul
 * ends where another script begins, Han, Kana and Hangul become bigrams, the rest lower case without accents.
 */
const analysis = {
  char_filter: {
    accents: { type: 'pattern_replace', pattern: ACCENTS, replacement: '' },
    letters: { type: 'mapping', mappings: foldedLetters() },
    separators: { type: 'pattern_replace', pattern: '[^\\p{L}\\p{N}\\p{M}\\p{So}\\x{1F3FB}-\\x{1F3FF}]', replacement: ' ' },
    hangul: {
      type: 'pattern_replace',
      pattern: '(?<=\\p{IsHangul})(?=[\\p{L}\\p{N}&&[^\\p{IsHangul}]])|(?<=[\\p{L}\\p{N}&&[^\\p{IsHangul}]])(?=\\p{IsHangul})',
      replacement: ' ',
    },
  },
  analyzer: {
    words: {
      type: 'custom',
      char_filter: ['accents', 'letters', 'separators', 'hangul'],
      tokenizer: 'standard',
      filter: ['cjk_width', 'lowercase', 'cjk_bigram', 'asciifolding'],
    },
  },
};

/** Greek and Cyrillic letters without their accents, which Elasticsearch folds for Latin letters only. */
function foldedLetters(): string[] {
  const mappings: string[] = [];
  for (const [first, last] of [
    [0x370, 0x52f],
    [0x1f00, 0x1fff],
  ] as const) {
    for (let code = first; code <= last; code++) {
      const letter = String.fromCodePoint(code);
      const folded = letter.normalize('NFKD').replace(/\p{M}/gu, '');
      if (folded !== letter && /^\p{L}+$/u.test(folded)) mappings.push(`${letter} => ${folded}`);
    }
  }
  return mappings;
}

/** The template by which every index of ours is made. */
export function indexTemplate({ indexPrefix, shards, replicas }: ElasticsearchSettings): object {
  return {
    index_patterns: [`${indexPrefix}-v*`],
    version: TEMPLATE_VERSION,
    template: {
      settings: {
        number_of_shards: shards,
        ...(replicas === 'auto' ? { auto_expand_replicas: '0-1' } : { number_of_replicas: replicas }),
        // Said explicitly, it also holds for an index that nobody has searched for a while.
        refresh_interval: '1s',
        max_result_window: MAX_RESULT_WINDOW,
        'highlight.max_analyzed_offset': 1_000_000,
        /**
         * A word counts by where it stands, never by how many documents have it: the score depends on nothing but the
         * document and the question, so that it is the same on every shard and page, recency decides between equals,
         * and no tenant learns from it what others have.
         */
        similarity: { constant: { type: 'boolean' } },
        analysis,
      },
      mappings: { dynamic: 'strict', _meta: { version: TEMPLATE_VERSION }, properties },
    },
  };
}
