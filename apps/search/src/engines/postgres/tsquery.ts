import type { TextField } from '../../query/query';
import type { TextNode } from '../../text/positive-texts';
import { foldedWords } from '../../text/words';
import { FIELD_SIGNS, LONG, pairLexeme } from './lexemes';

/** Words that are looked at for the rank; the rest of a longer query only has to match. */
const MAX_RANKING_WORDS = 32;

/** The text as PostgreSQL reads a tsquery; undefined where it has no word. */
export function tsqueryOf({ text, field, match }: TextNode): string | undefined {
  const words = foldedWords(text);
  const sign = signOf(field);
  const weights = weightsOf(field, match);
  const lexemes = words.map((word, i) => lexeme(sign + word, weights, match === 'prefix' && i === words.length - 1));
  const [first] = lexemes;
  if (first === undefined || lexemes.length === 1) return first;
  const pairs = lexemes.slice(1).map((second, i) => {
    const goesOn = match === 'prefix' && i === lexemes.length - 2;
    // A pair with a word that may go on is not known by its hash: both somewhere in a long text will do.
    const elsewhere = goesOn ? `(${lexemes[i]} & ${second})` : `'${pairLexeme(sign, words[i] ?? '', words[i + 1] ?? '')}'`;
    return `((${lexemes[i]} <-> ${second}) | ${elsewhere})`;
  });
  return `((${lexemes.join(' <-> ')}) | ('${LONG}' & ${pairs.join(' & ')}))`;
}

/** What a match is ranked by: any of the words, the more and the more important ones the better. Undefined without a word. */
export function rankingOf(texts: readonly TextNode[]): string | undefined {
  const lexemes = new Set<string>();
  for (const { text, match } of texts) {
    const words = foldedWords(text);
    words.forEach((word, i) => {
      if (lexemes.size < MAX_RANKING_WORDS) lexemes.add(lexeme(word, '', match === 'prefix' && i === words.length - 1));
    });
  }
  return lexemes.size === 0 ? undefined : Array.from(lexemes).join(' | ');
}

const signOf = (field: TextField | undefined): string => (field === undefined || field === 'content' ? '' : FIELD_SIGNS[field]);

/** What a word with a sign does not tell by itself. A misspelled word is looked for in the title and in attributes only. */
function weightsOf(field: TextField | undefined, match: TextNode['match']): string {
  if (field === 'content') return 'D';
  return field === undefined && match === 'fuzzy' ? 'AB' : '';
}

function lexeme(word: string, weights: string, prefix: boolean): string {
  const flags = `${prefix ? '*' : ''}${weights}`;
  return flags === '' ? `'${word}'` : `'${word}':${flags}`;
}
