import { RetrySchedule } from './retry-schedule';

const HOUR = 3_600_000;
const delays = (random: number, attempts: number[]) => {
  const schedule = new RetrySchedule(15_000, HOUR, () => random);
  return attempts.map((attempt) => schedule.delayMs(attempt));
};

test('the wait triples up to its bound', () => {
  expect(delays(1, [1, 2, 3, 4, 5, 6, 7, 1000, 1e9])).toEqual([15_000, 45_000, 135_000, 405_000, 1_215_000, HOUR, HOUR, HOUR, HOUR]);
});

test('jitter takes up to a third of it', () => {
  expect(delays(0, [1, 2, 1000])).toEqual([10_000, 30_000, HOUR * (2 / 3)]);
  const [delay = 0] = delays(0.5, [1]);
  expect(delay).toBe(12_500);
});

test('mails deferred together do not come back together', () => {
  const schedule = new RetrySchedule(15_000, HOUR);
  const found = Array.from({ length: 100 }, () => schedule.delayMs(1));
  expect(new Set(found).size).toBeGreaterThan(50);
  expect(Math.min(...found)).toBeGreaterThanOrEqual(10_000);
  expect(Math.max(...found)).toBeLessThanOrEqual(15_000);
});

test('a bound below the base is the wait', () => {
  expect(new RetrySchedule(15_000, 1000, () => 1).delayMs(1)).toBe(1000);
});
