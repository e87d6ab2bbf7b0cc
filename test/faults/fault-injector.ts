import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault-list';
import type { SeededRandom } from './seeded-random';

const APART_MS = { min: 100, max: 3000 };
/** Faults at the same time, at most: with more nothing would go on between them. */
const AT_ONCE = 3;

/** A fault that was, with times in ms since the epoch. */
export interface Injected {
  target: string;
  name: string;
  from: number;
  to: number;
}

/** Injects faults from a list, by weight, at distances of chance; never two into the same target at once. */
export class FaultInjector {
  readonly injected: Injected[] = [];
  private readonly running = new Map<string, Promise<void>>();

  constructor(
    private readonly faults: readonly Fault[],
    private readonly random: SeededRandom,
  ) {}

  /** Resolves when the time is up and the last fault is over. @throws Error when one could not be injected or undone */
  async during(ms: number): Promise<void> {
    const until = Date.now() + ms;
    while (Date.now() < until) {
      await sleep(this.random.integer(APART_MS.min, APART_MS.max));
      if (this.running.size >= AT_ONCE) await Promise.race(this.running.values());
      const { target, fault } = this.pick();
      this.running.set(target, this.inject(fault));
    }
    await Promise.all(this.running.values());
  }

  private pick(): { target: string; fault: Fault } {
    const free = this.faults.filter(({ target }) => !this.running.has(target));
    let left = this.random.next() * free.reduce((sum, { weight }) => sum + weight, 0);
    const fault = free.find(({ weight }) => (left -= weight) < 0) ?? (free[0] as Fault);
    return { target: fault.target, fault };
  }

  private async inject({ target, name, inject }: Fault): Promise<void> {
    const from = Date.now();
    try {
      // A branch of its own: how long it takes does not change what comes after it.
      await inject(this.random.branch(this.injected.length + this.running.size));
    } finally {
      this.running.delete(target);
      this.injected.push({ target, name, from, to: Date.now() });
    }
  }
}
