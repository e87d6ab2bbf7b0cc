import { setTimeout as sleep } from 'node:timers/promises';

const ASK_EVERY_MS = 50;

/**
 * Waits until nothing is left, as long as what is left changes.
 * @returns whether nothing is left; false when it has not changed for `patienceMs`
 */
export async function untilNoneLeft(left: () => Promise<number> | number, patienceMs: number): Promise<boolean> {
  let last = await left();
  for (let changedAt = performance.now(); last !== 0; await sleep(ASK_EVERY_MS)) {
    const now = await left();
    if (now !== last) changedAt = performance.now();
    else if (performance.now() - changedAt > patienceMs) return false;
    last = now;
  }
  return true;
}
