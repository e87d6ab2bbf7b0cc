import { setTimeout as sleep } from 'node:timers/promises';
import type { SmallDisk } from './full-disk';
import { familyOf, signal } from './process-control';
import type { SeededRandom } from './seeded-random';
import type { TcpProxy } from './tcp-proxy';

/** Something that can be done to a process, or between two. */
export interface Fault {
  /** What it is done to: one fault at a time. */
  target: string;
  name: string;
  weight: number;
  /** Resolves when it is over and undone; what it broke may still be coming back. */
  inject(random: SeededRandom): Promise<void>;
}

export interface Victim {
  name: string;
  /** Undefined while it does not run. */
  pid(): number | undefined;
}

const STOPPED_MS = { min: 200, max: 4000 };
/** A lease lasts 15 s. */
const LEASE_LOST_MS = { min: 15_000, max: 20_000 };
/** Until a killed one is started again; it may be killed once more before it serves. */
const AGAIN_WITHIN_MS = 10_000;
const HOLE_MS = { min: 500, max: 8000 };
const DELAY = { ms: { min: 20, max: 400 }, forMs: { min: 1000, max: 8000 } };
const REFUSE_MS = { min: 300, max: 4000 };
const FULL_MS = { min: 500, max: 5000 };

export function faultsOf({ name, pid }: Victim): Fault[] {
  const kill = async (): Promise<void> => {
    const victim = pid();
    if (victim === undefined) return;
    signal(victim, 'SIGKILL');
    for (const deadline = Date.now() + AGAIN_WITHIN_MS; pid() === victim && Date.now() < deadline;) await sleep(20);
  };
  return [
    { target: name, name: 'SIGKILL', weight: 12, inject: kill },
    { target: name, name: 'SIGSTOP', weight: 4, inject: stopped(pid, STOPPED_MS) },
  ];
}

/** Of a worker: another one takes over what it holds, and then it goes on. */
export const leaseLost = ({ name, pid }: Victim): Fault => ({
  target: name,
  name: 'SIGSTOP, longer than a lease',
  weight: 2,
  inject: stopped(pid, LEASE_LOST_MS),
});

const stopped =
  (pid: Victim['pid'], { min, max }: { min: number; max: number }): Fault['inject'] =>
  async (random) => {
    const family = familyOf(pid() ?? 0);
    family.forEach((member) => signal(member, 'SIGSTOP'));
    await sleep(random.integer(min, max));
    family.forEach((member) => signal(member, 'SIGCONT'));
  };

/** One of PostgreSQL's own processes: it then ends all the others and recovers. */
export const backendKilled = ({ name, pid }: Victim): Fault => ({
  target: name,
  name: 'SIGKILL of one of its processes',
  weight: 5,
  inject: async (random) => {
    const [, ...children] = familyOf(pid() ?? 0);
    if (children.length > 0) signal(random.pick(children), 'SIGKILL');
  },
});

export function proxyFaults(target: string, proxy: TcpProxy): Fault[] {
  const during = async (ms: number): Promise<void> => {
    await sleep(ms);
    proxy.heal();
  };
  const fault = (name: string, weight: number, inject: Fault['inject']): Fault => ({ target, name, weight, inject });
  return [
    fault('cut', 3, async () => proxy.cut()),
    fault('half-closed', 1, async (random) => {
      proxy.halfClose(random);
      await during(random.integer(REFUSE_MS.min, REFUSE_MS.max));
    }),
    fault('black hole', 1, async (random) => {
      proxy.hole();
      await during(random.integer(HOLE_MS.min, HOLE_MS.max));
    }),
    fault('black hole, then cut', 1, async (random) => {
      proxy.hole();
      await sleep(random.integer(HOLE_MS.min, HOLE_MS.max));
      proxy.cut();
      proxy.heal();
    }),
    fault('delay', 1, async (random) => {
      proxy.delay(random.integer(DELAY.ms.min, DELAY.ms.max));
      await during(random.integer(DELAY.forMs.min, DELAY.forMs.max));
    }),
    fault('refused', 1, async (random) => {
      proxy.refuse();
      await during(random.integer(REFUSE_MS.min, REFUSE_MS.max));
    }),
  ];
}

export const diskFull = (target: string, disk: SmallDisk): Fault => ({
  target,
  name: 'full',
  weight: 4,
  inject: async (random) => {
    disk.fill();
    await sleep(random.integer(FULL_MS.min, FULL_MS.max));
    disk.relieve();
  },
});
