import { numberOfAge, numberOfSize, numberOfTime } from './operator-values';
import { numberOf } from './query';

test('years are those of the calendar, the first hundred too', () => {
  expect(numberOfTime('0001')).toBe(-62135596800);
  expect(numberOfTime('1970')).toBe(0);
  expect(numberOfTime('9999-12-31')).toBe(253402214400);
  expect(numberOfTime('')).toBeUndefined();
});

test.each([
  ['2024-02-29', true],
  ['2023-02-29', false],
  ['2026-04-31T10:00', false],
  ['2026-4-30', false],
])('%s begins with a day that there is: %s', (text, expected) => {
  expect(numberOf(text) !== undefined).toBe(expected);
});

test('a month ago is the same day, or the last of a shorter month', () => {
  const age = (now: string, text: string) => new Date(numberOfAge(text, new Date(now))! * 1000).toISOString();
  expect(age('2026-03-31T01:02:03.999Z', '1m')).toBe('2026-02-28T01:02:03.000Z');
  expect(age('2024-03-31T00:00:00Z', '1m')).toBe('2024-02-29T00:00:00.000Z');
  expect(age('2026-01-15T00:00:00Z', '1m')).toBe('2025-12-15T00:00:00.000Z');
  expect(age('2024-02-29T00:00:00Z', '1y')).toBe('2023-02-28T00:00:00.000Z');
  expect(age('2026-01-01T00:00:00Z', '9999m')).toBe('1192-10-01T00:00:00.000Z');
});

test('sizes are whole bytes, as far as a number is exact', () => {
  expect(numberOfSize('0.5k')).toBe(512);
  expect(numberOfSize('0.001k')).toBe(1);
  expect(numberOfSize('8388607G')).toBe(9007198180999168);
  expect(numberOfSize('8388608G')).toBeUndefined();
  expect(numberOfSize('10B')).toBe(10);
});
