import { SLOW_MS, SlowDestinations } from './slow-destinations';

const slowed = (places: number): SlowDestinations => {
  const destinations = new SlowDestinations(places);
  expect(destinations.enter('slow.test', 'a', 0)).toBe(0);
  destinations.took('slow.test', 10_000);
  destinations.left('slow.test', 0);
  return destinations;
};

test('a fast destination holds as many places as there are', () => {
  const destinations = new SlowDestinations(1);
  for (let n = 0; n < 20; n++) expect(destinations.enter('fast.test', 'a', n)).toBe(0);
});

test('a slow one holds its few, and others pass it', () => {
  const destinations = slowed(2);
  expect(destinations.enter('slow.test', 'a', 10_000)).toBe(0);
  expect(destinations.enter('slow.test', 'a', 10_000)).toBe(0);
  expect(destinations.enter('slow.test', 'a', 10_000)).toBeGreaterThan(0);
  expect(destinations.enter('fast.test', 'a', 10_000)).toBe(0);
});

test('one that has not ended yet is known to be slow by its age', () => {
  const destinations = new SlowDestinations(1);
  expect(destinations.enter('slow.test', 'a', 0)).toBe(0);
  expect(destinations.enter('slow.test', 'a', SLOW_MS - 1)).toBe(0);
  expect(destinations.enter('slow.test', 'a', SLOW_MS)).toBe(SLOW_MS);
  expect(destinations.enter('slow.test', 'a', SLOW_MS)).toBe(SLOW_MS);
});

test('mails are put off one behind the other, for each tenant on its own, and not for ever', () => {
  const destinations = slowed(1);
  destinations.enter('slow.test', 'a', 10_000);
  const waits = [1, 2, 3].map(() => destinations.enter('slow.test', 'a', 10_000));
  expect(waits).toEqual([10_000, 20_000, 30_000]);
  expect(destinations.enter('slow.test', 'b', 10_000)).toBe(10_000);
  for (let n = 0; n < 100; n++) expect(destinations.enter('slow.test', 'a', 10_000)).toBeLessThanOrEqual(60_000);
});

test('what is not the relay’s time makes no destination slow', () => {
  const destinations = new SlowDestinations(1);
  destinations.enter('fast.test', 'a', 0);
  destinations.took('fast.test', 20);
  destinations.left('fast.test', 0);
  expect(destinations.enter('fast.test', 'a', 60_000)).toBe(0);
  expect(destinations.enter('fast.test', 'a', 60_000)).toBe(0);
});

test('a destination that is fast again is no longer held back', () => {
  const destinations = slowed(1);
  let now = 20_000;
  for (let n = 0; n < 20; n++) {
    expect(destinations.enter('slow.test', 'a', now)).toBe(0);
    destinations.took('slow.test', 10);
    destinations.left('slow.test', now);
    now += 100;
  }
  for (let n = 0; n < 5; n++) expect(destinations.enter('slow.test', 'a', now)).toBe(0);
});
