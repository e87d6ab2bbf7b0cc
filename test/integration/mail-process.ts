import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../free-port';
import { eventually } from '../eventually';

const MAIN = join(__dirname, '..', '..', 'apps', 'mail', 'dist', 'main.js');

/** The mail app as it is built and run, in a process that can be killed. */
export class MailProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly grpcUrl: string,
  ) {}

  static async start(environment: Record<string, string>): Promise<MailProcess> {
    const healthPort = await freePort();
    const child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env.PATH, ...environment, HEALTH_PORT: String(healthPort) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ready = () =>
      fetch(`http://127.0.0.1:${healthPort}/health/ready`).then(
        ({ status }) => status === 200,
        () => false,
      );
    await eventually(ready, (is) => is || child.exitCode !== null);
    if (child.exitCode !== null) throw new Error(`mail ended with ${child.exitCode}`);
    return new MailProcess(child, `127.0.0.1:${environment.GRPC_PORT}`);
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
    return this.child.exitCode;
  }
}
