import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessName } from '../../tools/stack/stack-file';
import { untilNoneLeft } from './moving';
import type { ProofStack } from './proof-stack';
import type { SeededRandom } from './seeded-random';

const VICTIMS: readonly ProcessName[] = ['mail', 'postgres', 'gateway', 'sink'];
/** From one kill to the next: some meet a system that has not come back from the one before. */
const APART_MS = { min: 100, max: 6000 };
/** Longer than the longest wait of the stack before a restart. */
const BACK_WITHIN_MS = 60_000;

export interface Kill {
  round: number;
  victim: ProcessName;
  /** From the kill to the stack's word that it runs again. */
  backMs: number;
}

/** kill -9 of each part of a stack in turn, in an order and at distances of chance. */
export class Killing {
  readonly kills: Kill[] = [];
  private readonly returns = new Map<ProcessName, Promise<void>>();

  constructor(
    private readonly stack: ProofStack,
    private readonly random: SeededRandom,
  ) {}

  /** Each part once; resolves when the last is killed, and not yet back. */
  async round(round: number): Promise<void> {
    for (const victim of this.shuffled()) {
      await sleep(this.random.integer(APART_MS.min, APART_MS.max));
      await this.returns.get(victim);
      this.returns.set(victim, this.kill(round, victim));
    }
  }

  /** Resolves when all run again. */
  async allBack(): Promise<void> {
    await Promise.all(this.returns.values());
  }

  private async kill(round: number, victim: ProcessName): Promise<void> {
    const pid = this.stack.kill(victim);
    const killedAt = performance.now();
    const isBack = await untilNoneLeft(() => (this.stack.pid(victim) === pid ? 1 : 0), BACK_WITHIN_MS);
    if (!isBack) throw new Error(`${victim} was not started again within ${BACK_WITHIN_MS / 1000} s`);
    this.kills.push({ round, victim, backMs: performance.now() - killedAt });
  }

  private shuffled(): ProcessName[] {
    const left = [...VICTIMS];
    return VICTIMS.map(() => left.splice(this.random.integer(0, left.length - 1), 1)[0] as ProcessName);
  }
}
