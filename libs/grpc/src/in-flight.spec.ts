import { InFlight } from './in-flight';

const never = new AbortController().signal;

/** Which of them are in, once all that can has happened. */
async function entered(entries: readonly Promise<void>[]): Promise<boolean[]> {
  const is = entries.map(() => false);
  entries.forEach((entry, i) => void entry.then(() => (is[i] = true)));
  await new Promise(setImmediate);
  return is;
}

test('who finds it full waits, and is let in in the order of coming', async () => {
  const inFlight = new InFlight(10);
  const entries = [6, 6, 1].map((weight) => inFlight.enter(weight, never));
  expect(await entered(entries)).toEqual([true, false, false]);
  inFlight.leave(6);
  expect(await entered(entries)).toEqual([true, true, true]);
});

test('what weighs more than all is let in alone', async () => {
  const inFlight = new InFlight(10);
  const entries = [inFlight.enter(25, never), inFlight.enter(1, never)];
  expect(await entered(entries)).toEqual([true, false]);
  inFlight.leave(25);
  expect(await entered(entries)).toEqual([true, true]);
  inFlight.leave(1);
  expect(inFlight.empty).toBe(true);
});

test('who is no longer there makes room for those behind, and nobody enters whose signal has aborted', async () => {
  const inFlight = new InFlight(10);
  const going = new AbortController();
  await inFlight.enter(6, never);
  const large = inFlight.enter(10, going.signal);
  const small = inFlight.enter(4, never);
  expect(await entered([small])).toEqual([false]);
  going.abort(new Error('gone'));
  await expect(large).rejects.toThrow('gone');
  expect(await entered([small])).toEqual([true]);
  inFlight.leave(10);
  await expect(inFlight.enter(1, going.signal)).rejects.toThrow('gone');
  expect(inFlight.empty).toBe(true);
});
