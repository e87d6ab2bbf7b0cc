import { pairLexeme } from './lexemes';
import { termsOf } from './tsvector';

const terms = (title: string, content = '', attributes: Record<string, string[]> = {}) => termsOf({ title, content, attributes });
/** As PostgreSQL counts them: 1 MB is what it takes. */
const bytesOf = (tsvector: string): number =>
  tsvector.split(' ').reduce((sum, lexeme) => sum + Buffer.byteLength(lexeme.split(':')[0] ?? '') + 2 * lexeme.split(',').length, 0);
const placesOf = (tsvector: string, lexeme: string): string[] => {
  const found = tsvector.split(' ').find((part) => part.startsWith(`'${lexeme}'`));
  return found?.split(':')[1]?.split(',') ?? [];
};

test('each word where it stands, and in its field; a value and a field end a phrase', () => {
  const { terms: written } = terms('Red bridge', 'the bridge', { from: ['Ann'], to: ['b@c', 'red'], note: ['never'] });
  expect(placesOf(written, 'red')).toEqual(['1A', '9B']);
  expect(placesOf(written, 'bridge')).toEqual(['2A', '12D']);
  expect(placesOf(written, '/tbridge')).toEqual(['2A']);
  expect(placesOf(written, '/fann')).toEqual(['4B']);
  expect([placesOf(written, '/ob'), placesOf(written, '/oc'), placesOf(written, '/ored')]).toEqual([['6B'], ['7B'], ['9B']]);
  expect(placesOf(written, 'the')).toEqual(['11D']);
  expect(written).not.toContain('never');
});

test('what ranks: the title, attributes, and what the content says again', () => {
  const { ranked } = terms('title', 'once twice twice often often often often often often', { from: ['ann'] });
  expect(placesOf(ranked, 'title')).toEqual(['1A']);
  expect(placesOf(ranked, 'ann')).toEqual(['2B']);
  expect(placesOf(ranked, 'once')).toEqual([]);
  expect(placesOf(ranked, 'twice')).toHaveLength(1);
  expect(placesOf(ranked, 'often')).toHaveLength(4);
});

test('words that misspelled ones are compared with, a line a field', () => {
  const { names } = terms('Old Bridge old', 'content', { to: ['Bob', 'Carol'], filename: ['a.pdf'] });
  expect(names).toBe('old bridge\n\nbob carol\n\n\na pdf');
});

test('attributes that are named as what every object has', () => {
  expect(() => terms('', '', { constructor: ['x'], __proto__: ['y'] })).not.toThrow();
});

test('places end before those that PostgreSQL knows; behind them pairs are kept', () => {
  const content = Array.from({ length: 20_000 }, (_, i) => `w${i}`).join(' ');
  const { terms: written } = terms('', content);
  const places = written.match(/:(\d+)D/g)?.map((place) => Number(place.slice(1, -1))) ?? [];
  expect(Math.max(...places)).toBeLessThanOrEqual(16_383);
  expect(placesOf(written, 'w19999')).toEqual(['16383D']);
  expect(written).toContain(`'${pairLexeme('', 'w19998', 'w19999')}'`);
  expect(written).toContain(`'/long'`);
  expect(written).not.toContain(`'${pairLexeme('', 'w1', 'w2')}'`);
  expect(terms('', 'short text').terms).not.toContain('/long');
});

test('a word that is everywhere has no more places than PostgreSQL keeps', () => {
  const { terms: written } = terms('the', 'the '.repeat(5000), { to: Array.from({ length: 1000 }, () => 'the') });
  const places = placesOf(written, 'the');
  expect(places.length).toBeLessThanOrEqual(255);
  expect(places.some((place) => place.endsWith('D'))).toBe(true);
  expect(new Set(places.map((place) => parseInt(place, 10))).size).toBe(places.length);
});

test('what is past a megabyte is left out', () => {
  const content = Array.from({ length: 150_000 }, (_, i) => `w${i.toString(36)}`).join(' ');
  const { terms: written } = terms('first', content);
  expect(bytesOf(written)).toBeLessThanOrEqual(1_048_575);
  expect(placesOf(written, 'first')).toEqual(['1A']);
  expect(placesOf(written, `w${(90_000).toString(36)}`)).toHaveLength(1);
});
