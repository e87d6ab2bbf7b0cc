import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogFile } from './log-file';

const LAST_LINES = 15;
const ASK_EVERY_MS = 50;

/** A program of the stack: how to run it, when it serves, how it is ended. */
export interface Program {
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Runs as another user. */
  user?: { uid: number; gid: number } | undefined;
  /** Asked again and again while it starts. */
  isReady(pid: number): Promise<boolean>;
  /** How long it may take to be ready. */
  startMs: number;
  /** The ways to ask it to end, the kindest first, each with its grace; SIGKILL follows by itself. */
  endBy: readonly { signal: NodeJS.Signals; graceMs: number }[];
}

/** How a run ended, and what it said last. */
export interface Ending {
  name: string;
  /** Such as `exit code 1`, `SIGKILL`. */
  how: string;
  succeeded: boolean;
  lastLines: readonly string[];
}

export class ProcessEndedError extends Error {
  constructor(readonly ending: Ending) {
    super(`${ending.name}: ${ending.how}`);
    this.name = 'ProcessEndedError';
  }
}

/** One run of a program, in a process group of its own: a Ctrl-C in the terminal reaches only the stack. */
export class RunningProcess {
  readonly ended: Promise<Ending>;
  private readonly child: ChildProcess;
  private readonly logStart: number;
  private over = false;

  constructor(
    private readonly program: Program,
    private readonly log: LogFile,
  ) {
    const output = log.openToAppend();
    this.logStart = log.size();
    try {
      this.child = spawn(program.command, program.args, {
        env: program.env,
        stdio: ['pipe', output, output],
        detached: true,
        ...program.user,
      });
    } finally {
      closeSync(output);
    }
    this.child.stdin?.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      const end = (how: string, succeeded: boolean): void => {
        this.over = true;
        resolve(this.ending(how, succeeded));
      };
      this.child.once('error', (error) => end(error.message, false));
      this.child.once('exit', (code, signal) => {
        this.endGroup();
        end(signal ?? `exit code ${code}`, code === 0);
      });
    });
  }

  /** Undefined when it could not be started at all; `ended` says why. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** @throws ProcessEndedError when it ends before, or is not ready in time */
  async ready(): Promise<void> {
    const deadline = Date.now() + this.program.startMs;
    while (!this.over) {
      if (this.pid !== undefined && (await this.program.isReady(this.pid)) && !this.over) return;
      if (Date.now() >= deadline) {
        const late = this.ending(`not ready within ${this.program.startMs / 1000} s`, false);
        await this.end();
        throw new ProcessEndedError(late);
      }
      await Promise.race([sleep(ASK_EVERY_MS), this.ended]);
    }
    throw new ProcessEndedError(await this.ended);
  }

  /** Ends it, kindly first; resolves when it is gone. */
  async end(): Promise<void> {
    for (const { signal, graceMs } of this.program.endBy) {
      if (this.over || this.pid === undefined) break;
      this.child.kill(signal);
      await this.endsWithin(graceMs);
    }
    if (!this.over) this.endGroup();
    await this.ended;
  }

  /** With what a killed program left behind: workers of nginx, which would hold its port. */
  private endGroup(): void {
    try {
      if (this.pid !== undefined) process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Nobody is left.
    }
  }

  private async endsWithin(graceMs: number): Promise<void> {
    const waiting = new AbortController();
    const grace = sleep(graceMs, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([this.ended, grace]);
    waiting.abort();
  }

  private ending(how: string, succeeded: boolean): Ending {
    return { name: this.program.name, how, succeeded, lastLines: this.log.lastLines(LAST_LINES, this.logStart) };
  }
}
