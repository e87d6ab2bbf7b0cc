import { Backoff } from './backoff';

async function waited(backoff: Backoff, signal = new AbortController().signal): Promise<number> {
  const before = performance.now();
  await backoff.wait(signal);
  // Timers may fire a little early.
  return performance.now() - before + 1.5;
}

test('waits double up to the longest, none shorter than half of its length, and are short again once it has worked', async () => {
  const backoff = new Backoff(20, 80);
  const waits: number[] = [];
  for (let i = 0; i < 5; i++) waits.push(await waited(backoff));
  for (const [i, least] of [10, 20, 40, 40, 40].entries()) expect(waits[i]).toBeGreaterThanOrEqual(least);
  backoff.reset();
  expect(await waited(backoff)).toBeLessThan(40);
});

test('a wait ends, without an error, when the signal aborts', async () => {
  const ending = new AbortController();
  const wait = waited(new Backoff(60_000, 60_000), ending.signal);
  ending.abort();
  expect(await wait).toBeLessThan(1000);
});
