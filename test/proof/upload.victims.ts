import { setTimeout as sleep } from 'node:timers/promises';
import { untilNoneLeft } from './moving';
import type { ProofStack } from './proof-stack';
import type { SeededRandom } from './seeded-random';
import type { S3 } from './stack-parts';
import type { VictimName } from './upload.plan';

/** Longer than the longest wait of the stack before a restart. */
const BACK_WITHIN_MS = 60_000;
/** How long the store is not started again. */
const AWAY_MS = { min: 100, max: 3000 };

export interface Outage {
  victim: VictimName;
  backMs: number;
}

/** The parts of a system that are killed with -9 and come back. */
export class UploadVictims {
  /** Those that are over. */
  readonly outages: Outage[] = [];
  private readonly returns = new Map<VictimName, Promise<void>>();

  constructor(
    private readonly stack: ProofStack,
    private readonly store: S3 | undefined,
    private readonly random: SeededRandom,
  ) {}

  /** Kills it once it is there; resolves when it is killed, and not yet back. */
  async kill(victim: Exclude<VictimName, 'client'>): Promise<void> {
    // Of two that wait for it one is the first.
    while (this.returns.has(victim)) await this.returns.get(victim);
    const killedAt = performance.now();
    const killed = victim === 'store' ? this.store?.kill() : this.stack.kill(victim);
    const returned = this.untilBack(victim, killed).then(() => {
      this.outages.push({ victim, backMs: performance.now() - killedAt });
      this.returns.delete(victim);
    });
    // Told by `allBack`, or to who kills it next.
    returned.catch(() => undefined);
    this.returns.set(victim, returned);
    await killed;
  }

  /** Resolves when all run again. */
  async allBack(): Promise<void> {
    await Promise.all(this.returns.values());
  }

  private async untilBack(victim: Exclude<VictimName, 'client'>, killed: Promise<void> | number | undefined): Promise<void> {
    if (victim === 'store') {
      await killed;
      await sleep(this.random.integer(AWAY_MS.min, AWAY_MS.max));
      return this.store?.start();
    }
    const isBack = await untilNoneLeft(() => (this.stack.pid(victim) === killed ? 1 : 0), BACK_WITHIN_MS);
    if (!isBack) throw new Error(`${victim} was not started again within ${BACK_WITHIN_MS / 1000} s`);
  }
}
