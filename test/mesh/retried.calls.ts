import { setTimeout as delay } from 'node:timers/promises';

const TRIES = 7;
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1000;

/** Another try is safe and makes sense: nothing was done, or it has a key. */
export class RetryableError extends Error {}

/** How calls went, as their callers see it. */
export class CallCounts {
  calls = 0;
  /** Calls that needed another try, and how many tries there were beside the first. */
  retriedCalls = 0;
  retries = 0;
  /** What was left without an answer, or with a wrong one: what it was, and why. */
  readonly failures: string[] = [];
  readonly retriedFor = new Map<string, number>();

  /** Tries it again, as a client should that is told to. */
  async call(what: string, attempt: () => Promise<void>): Promise<void> {
    this.calls++;
    for (let tries = 1; ; tries++) {
      try {
        await attempt();
        if (tries > 1) this.retriedCalls++;
        return;
      } catch (error) {
        const why = `${what}: ${(error as Error).message}`;
        if (!(error instanceof RetryableError) || tries === TRIES) {
          this.failures.push(why);
          return;
        }
        this.retry(why);
        await delay(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries) * (0.5 + Math.random() / 2));
      }
    }
  }

  retry(why: string): void {
    this.retries++;
    this.retriedFor.set(why, (this.retriedFor.get(why) ?? 0) + 1);
  }
}
