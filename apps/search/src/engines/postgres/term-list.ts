import { LONG, pairLexeme } from './lexemes';

/** B: an attribute, D: the content; A (the title) is short. */
export type Weight = 'A' | 'B' | 'D';

/** Places end here, those of attributes before those of the content; the last ones are of all words behind. */
const LAST_PLACE: Record<Weight, number> = { A: 2000, B: 9000, D: 16_000 };
const BEHIND: Record<Weight, number> = { A: 16_100, B: 16_200, D: 16_383 };
/** PostgreSQL keeps 255; some are left for the content. */
const MOST_PLACES: Record<Weight, number> = { A: 100, B: 180, D: 250 };
/** A tsvector holds 1,048,575 bytes. */
const MAX_BYTES = 1_048_000;
/** Of a lexeme beside its characters: alignment, number of its places; and of each place. */
const LEXEME_BYTES = 4;
const PLACE_BYTES = 2;

interface Places {
  text: string;
  count: number;
  /** Weights that have a word behind the last place. */
  behind: string;
}

/** Writes a tsvector as PostgreSQL reads it. What is past its size is left out, and so not found. */
export class TermList {
  private readonly lexemes = new Map<string, Places>();
  /** Of words that have no place; they get the room that the words leave. */
  private readonly pairs = new Set<string>();
  private bytes = 0;
  private place = 1;

  /** One value: no phrase goes from one into the next. */
  add(words: readonly string[], weight: Weight, sign = ''): void {
    this.place = Math.min(this.place, LAST_PLACE[weight] + 2);
    let before: string | undefined;
    let beforePlaced = true;
    for (const word of words) {
      const place = this.place <= LAST_PLACE[weight] ? this.place++ : undefined;
      let placed = this.put(word, weight, place);
      if (sign !== '') placed = this.put(sign + word, weight, place) && placed;
      if (before !== undefined && !(placed && beforePlaced)) this.putPair(before, word, sign);
      before = word;
      beforePlaced = placed;
    }
    this.place++;
  }

  toString(): string {
    const places = Array.from(this.lexemes, ([lexeme, { text }]) => `'${lexeme}':${text}`);
    const pairs = this.pairs.size === 0 ? [] : [LONG, ...this.pairs];
    let bytes = this.bytes;
    const fitting = pairs.filter((pair) => (bytes += pair.length + LEXEME_BYTES) <= MAX_BYTES);
    return [...places, ...fitting.map((pair) => `'${pair}'`)].join(' ');
  }

  /** Gives whether it was given its own place. */
  private put(lexeme: string, weight: Weight, place: number | undefined): boolean {
    const places = this.lexemes.get(lexeme) ?? this.begin(lexeme);
    if (!places) return false;
    const own = place !== undefined && places.count < MOST_PLACES[weight];
    if (!own && places.behind.includes(weight)) return false;
    if (this.bytes + PLACE_BYTES > MAX_BYTES) return false;
    this.bytes += PLACE_BYTES;
    places.text += `${places.text === '' ? '' : ','}${own ? place : BEHIND[weight]}${weight}`;
    places.count++;
    if (!own) places.behind += weight;
    return own;
  }

  private putPair(first: string, second: string, sign: string): void {
    for (const lexeme of sign === '' ? [''] : ['', sign]) this.pairs.add(pairLexeme(lexeme, first, second));
  }

  private begin(lexeme: string): Places | undefined {
    const bytes = Buffer.byteLength(lexeme) + LEXEME_BYTES;
    if (this.bytes + bytes > MAX_BYTES) return undefined;
    this.bytes += bytes;
    const places = { text: '', count: 0, behind: '' };
    this.lexemes.set(lexeme, places);
    return places;
  }
}
