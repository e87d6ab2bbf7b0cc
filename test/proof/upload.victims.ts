import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessName } from '../../tools/stack/stack-file';
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
    await this.returns.get(victim);
    const killedAt = performance.now();
    const isBack = victim === 'store' ? await this.killStore() : this.killPart(victim);
    const returned = isBack().then(() => void this.outages.push({ victim, backMs: performance.now() - killedAt }));
    // Told by `allBack`, or to who kills it next.
    returned.catch(() => undefined);
    this.returns.set(victim, returned);
  }

  /** Resolves when all run again. */
  async allBack(): Promise<void> {
    await Promise.all(this.returns.values());
  }

  private killPart(part: ProcessName): () => Promise<void> {
    const pid = this.stack.kill(part);
    return async () => {
      const isBack = await untilNoneLeft(() => (this.stack.pid(part) === pid ? 1 : 0), BACK_WITHIN_MS);
      if (!isBack) throw new Error(`${part} was not started again within ${BACK_WITHIN_MS / 1000} s`);
    };
  }

  private async killStore(): Promise<() => Promise<void>> {
    const { store, random } = this;
    if (!store) throw new Error('there is no store to be killed');
    await store.kill();
    return async () => {
      await sleep(random.integer(AWAY_MS.min, AWAY_MS.max));
      await store.start();
    };
  }
}
