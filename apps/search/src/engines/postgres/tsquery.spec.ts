import type { TextNode } from '../../text/positive-texts';
import { rankingOf, tsqueryOf } from './tsquery';

const text = (value: string, over: Partial<TextNode> = {}): TextNode => ({ kind: 'text', text: value, match: 'phrase', ...over });

test.each([
  [text('Bridge'), `'bridge'`],
  [text('bri', { match: 'prefix' }), `'bri':*`],
  [text('bridge', { field: 'title' }), `'/tbridge'`],
  [text('bri', { field: 'from', match: 'prefix' }), `'/fbri':*`],
  [text('bridge', { field: 'content' }), `'bridge':D`],
  [text('bri', { field: 'content', match: 'prefix' }), `'bri':*D`],
  // Too short to be misspelled, and still not of the content.
  [text('ab', { match: 'fuzzy' }), `'ab':AB`],
])('%j', (node, expected) => {
  expect(tsqueryOf(node)).toBe(expected);
});

test('a phrase is words next to each other, or in long texts pairs of them', () => {
  const query = tsqueryOf(text('the old bridge')) ?? '';
  expect(query).toContain(`('the' <-> 'old' <-> 'bridge') | ('/long' & `);
  expect(query).toMatch(/\(\('the' <-> 'old'\) \| '\/2[0-9a-z]+'\) & \(\('old' <-> 'bridge'\) \| '\/2[0-9a-z]+'\)/);
  expect(tsqueryOf(text('old bri', { match: 'prefix' }))).toContain(`('old' & 'bri':*)`);
});

test.each(['', '!!', `' & | ! <-> :*`])('a text without a word is none: %j', (value) => {
  expect(tsqueryOf(text(value))).toBeUndefined();
});

test.each([`a' | 'b`, `a\\`, `a:*ABCD`, `'); drop table document; --`, '/tbridge', '/long'])('syntax only separates: %s', (value) => {
  const lexemes = (tsqueryOf(text(value)) ?? '').match(/'[^']*'/g) ?? [];
  expect(lexemes.filter((lexeme) => !/^'(\/2)?[0-9a-z]+'$/.test(lexeme) && lexeme !== `'/long'`)).toEqual([]);
});

test('ranked by any of the words, in whatever field they were asked for', () => {
  expect(rankingOf([text('old bridge'), text('bri', { match: 'prefix', field: 'from' }), text('old')])).toBe(`'old' | 'bridge' | 'bri':*`);
  expect(rankingOf([text('!!')])).toBeUndefined();
  expect(rankingOf([text(Array.from({ length: 500 }, (_, i) => `w${i}`).join(' '))])?.split(' | ')).toHaveLength(32);
});
