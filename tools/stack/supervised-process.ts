import { setTimeout as sleep } from 'node:timers/promises';
import type { LogFile } from './log-file';
import { type Ending, type Program, ProcessEndedError, RunningProcess } from './running-process';

/** When a process that died is started again, and when no more. */
export interface RestartLimits {
  firstDelayMs: number;
  longestDelayMs: number;
  /** Deaths in a row, each before it ran for `steadyMs`, after which it is given up. */
  mostInARow: number;
  steadyMs: number;
}

export const restartLimits: RestartLimits = { firstDelayMs: 250, longestDelayMs: 10_000, mostInARow: 20, steadyMs: 60_000 };

/** What is told of a process that is kept running. */
export interface SupervisionEvents {
  died(ending: Ending, restartInMs: number): void;
  restarted(name: string): void;
  gaveUp(ending: Ending): void;
}

/** Keeps one program running: one that dies is started again, at growing distances, until it is ended. */
export class SupervisedProcess {
  private current: RunningProcess | undefined;
  private watching: Promise<void> = Promise.resolve();
  private readonly ending = new AbortController();

  constructor(
    private readonly program: Program,
    private readonly log: LogFile,
    private readonly events: SupervisionEvents,
    private readonly limits: RestartLimits,
  ) {}

  get name(): string {
    return this.program.name;
  }

  get pid(): number | undefined {
    return this.current?.pid;
  }

  /**
   * Resolves when it is ready. The first start is not tried again.
   * @throws ProcessEndedError
   */
  async start(): Promise<void> {
    this.current = new RunningProcess(this.program, this.log);
    const startedAt = Date.now();
    await this.current.ready();
    this.watching = this.watch(this.current, startedAt);
  }

  /** Ends it for good; resolves when it is gone. */
  async end(): Promise<void> {
    this.ending.abort();
    await this.current?.end();
    await this.watching;
  }

  private async watch(first: RunningProcess, firstStartedAt: number): Promise<void> {
    let ending = await first.ended;
    let startedAt = firstStartedAt;
    for (let deaths = 1; !this.ending.signal.aborted; deaths++) {
      if (Date.now() - startedAt >= this.limits.steadyMs) deaths = 1;
      if (deaths > this.limits.mostInARow) return this.events.gaveUp(ending);
      const delay = Math.min(this.limits.firstDelayMs * 2 ** (deaths - 1), this.limits.longestDelayMs);
      this.events.died(ending, delay);
      await sleep(delay, undefined, { signal: this.ending.signal }).catch(() => undefined);
      if (this.ending.signal.aborted) return;
      startedAt = Date.now();
      ending = await this.runOnce();
    }
  }

  /** How a run ended, be it before or after it was ready. */
  private async runOnce(): Promise<Ending> {
    const run = new RunningProcess(this.program, this.log);
    this.current = run;
    try {
      await run.ready();
      this.events.restarted(this.program.name);
      return await run.ended;
    } catch (error) {
      if (error instanceof ProcessEndedError) return error.ending;
      throw error;
    }
  }
}
