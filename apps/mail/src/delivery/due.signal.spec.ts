import { DueSignal } from './due.signal';

const NEVER = 3_600_000;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** Whether a wait has ended by now. */
const ended = (wait: Promise<void>) => Promise.race([wait.then(() => true), jest.advanceTimersByTimeAsync(0).then(() => false)]);

test('a wait ends when the signal is raised, and leaves no timer', async () => {
  const due = new DueSignal();
  const wait = due.wait(NEVER);
  expect(await ended(wait)).toBe(false);
  due.raise();
  await wait;
  expect(jest.getTimerCount()).toBe(0);
});

test('one that was raised meanwhile is not lost: the next wait ends at once, the one after does not', async () => {
  const due = new DueSignal();
  due.raise();
  due.raise();
  await due.wait(NEVER);
  expect(await ended(due.wait(NEVER))).toBe(false);
});

test('a wait ends after its time', async () => {
  const due = new DueSignal();
  const wait = due.wait(1000);
  await jest.advanceTimersByTimeAsync(999);
  expect(await ended(wait)).toBe(false);
  await jest.advanceTimersByTimeAsync(1);
  await wait;
});

test('a signal after a wait has timed out counts for the next', async () => {
  const due = new DueSignal();
  const wait = due.wait(1000);
  await jest.advanceTimersByTimeAsync(1000);
  await wait;
  due.raise();
  await due.wait(NEVER);
});
