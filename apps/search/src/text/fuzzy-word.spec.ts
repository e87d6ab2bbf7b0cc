import { fuzzyWordOf, MAX_FUZZY_LENGTH, resembles } from './fuzzy-word';

const close = (asked: string, found: string): boolean => {
  const fuzzy = fuzzyWordOf(asked);
  return fuzzy !== undefined && resembles(fuzzy, found);
};

test.each([
  ['bridge', 'bridge'],
  ['bridgw', 'bridge'],
  ['brigde', 'bridge'],
  ['brdge', 'bridge'],
  ['bridddge', 'bridge'],
  ['cat', 'cut'],
  ['alcie', 'alice'],
  ['lodon', 'london'],
  ['STRASE', 'strasse'],
  ['москав', 'москва'],
])('%s may be %s', (asked, found) => {
  expect(close(asked, found)).toBe(true);
});

test.each([
  ['bridge', 'badge'.repeat(2)],
  ['cat', 'cue'],
  ['alice', 'alixx'],
  ['bridge', 'brxxxe'],
  ['bridge', ''],
])('%s is not %s', (asked, found) => {
  expect(close(asked, found)).toBe(false);
});

test.each(['', '!!', 'ab', 'two words', 'x'.repeat(MAX_FUZZY_LENGTH + 1)])('looked for as it is: %j', (text) => {
  expect(fuzzyWordOf(text)).toBeUndefined();
});
