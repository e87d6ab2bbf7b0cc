import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { eventually } from '../eventually';
import { ROOT } from '../root';

export type AppName = 'mail' | 'search' | 'api-gateway';

const MAX_LINES = 10_000;
const START_MS = 60_000;

/** One app as it is built and run, in a process of its own, which can be killed, frozen, ended and started again at its address. */
export class AppProcess {
  /** The last that it has logged, over all its starts. */
  readonly lines: Record<string, unknown>[] = [];
  private child: ChildProcess | undefined;

  /** @param healthUrl where it answers /health/ready: what it is given by its environment */
  constructor(
    readonly app: AppName,
    readonly address: string,
    readonly healthUrl: string,
    private readonly environment: Record<string, string>,
  ) {}

  get pid(): number {
    return this.child!.pid!;
  }

  /** Resolves when it is ready. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [join(ROOT, 'apps', this.app, 'dist', 'main.js')], {
      env: { PATH: process.env['PATH'], ...this.environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child = child;
    createInterface({ input: child.stdout as Readable }).on('line', (line) => {
      if (line.startsWith('{')) this.lines.push(JSON.parse(line) as Record<string, unknown>);
      if (this.lines.length > MAX_LINES) this.lines.splice(0, MAX_LINES / 2);
    });
    await eventually(async () => child.exitCode !== null || (await this.isReady()), Boolean, START_MS);
    if (child.exitCode !== null) throw new Error(`${this.app} ended with ${child.exitCode}`);
  }

  isReady(): Promise<boolean> {
    return fetch(`${this.healthUrl}/health/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** Nothing of it moves until it is told to go on by SIGCONT. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child!.kill(signal);
  }

  /** @returns its exit code; null where a signal ended it */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
    return child.exitCode;
  }

  /** The sum of a metric over its labels, of those that fit. */
  async metric(name: string, labels = ''): Promise<number> {
    const text = await (await fetch(`${this.healthUrl}/metrics`)).text();
    const lines = text.split('\n').filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(labels));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }
}
