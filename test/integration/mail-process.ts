import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { freePort } from '../free-port';
import { eventually } from '../eventually';

const MAIN = join(__dirname, '..', '..', 'apps', 'mail', 'dist', 'main.js');

/** The mail app as it is built and run, in a process that can be killed. */
export class MailProcess {
  /** What it has logged. */
  readonly lines: Record<string, unknown>[] = [];

  private constructor(
    private readonly child: ChildProcess,
    readonly grpcUrl: string,
    readonly healthUrl: string,
  ) {
    createInterface({ input: child.stdout as Readable }).on('line', (line) => {
      if (line.startsWith('{')) this.lines.push(JSON.parse(line) as Record<string, unknown>);
    });
  }

  /** @param main another program that is the mail app */
  static async start(environment: Record<string, string>, main = MAIN): Promise<MailProcess> {
    const healthUrl = `http://127.0.0.1:${await freePort()}`;
    const child = spawn(process.execPath, [main], {
      env: { PATH: process.env.PATH, ...environment, HEALTH_PORT: new URL(healthUrl).port },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ready = () =>
      fetch(`${healthUrl}/health/ready`).then(
        ({ status }) => status === 200,
        () => false,
      );
    const started = new MailProcess(child, `127.0.0.1:${environment.GRPC_PORT}`, healthUrl);
    await eventually(ready, (is) => is || child.exitCode !== null);
    if (child.exitCode !== null) throw new Error(`mail ended with ${child.exitCode}`);
    return started;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** As far as it goes: nothing of it moves until it is told to go on by SIGCONT. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(signal);
  }

  /** Resolves when it is gone, however it went. */
  async ended(): Promise<NodeJS.Signals | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.signalCode;
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
    return this.child.exitCode;
  }
}
