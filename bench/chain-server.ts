import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AuthSettings } from '@sky-genesis/auth';

/** Each with all before it. */
export const CHAINS = ['bare', 'context', 'observer', 'authentication', 'compression'] as const;

export interface ChainOptions {
  chain: (typeof CHAINS)[number];
  /** From which size compression compresses. */
  minBytes: number;
  token: Pick<AuthSettings, 'AUTH_SECRET' | 'AUTH_ISSUER' | 'AUTH_AUDIENCE'>;
  /** PEM files, of a server `localhost` that also signs for its clients; without them there is no TLS. */
  pair?: { certificate: string; key: string } | undefined;
}

/** What the program says, in turn: its port, and then whenever it is asked what it has computed. */
export interface ServerTells {
  port?: number;
  cpu?: NodeJS.CpuUsage;
}

/** bench/interceptors.server in a process of its own. */
export class ChainServer {
  private constructor(
    readonly port: number,
    private readonly server: ChildProcess,
  ) {}

  static async start(options: ChainOptions): Promise<ChainServer> {
    // Its log goes nowhere: who reads it is not measured.
    const server = fork(join(__dirname, 'interceptors.server.js'), [JSON.stringify(options)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const [{ port }] = (await once(server, 'message')) as [ServerTells];
    return new ChainServer(port ?? 0, server);
  }

  /** user + system time of all its threads so far, in microseconds. */
  async cpuMicroseconds(): Promise<number> {
    this.server.send('cpu');
    const [{ cpu }] = (await once(this.server, 'message')) as [ServerTells];
    return (cpu?.user ?? NaN) + (cpu?.system ?? NaN);
  }

  async stop(): Promise<void> {
    const ended = once(this.server, 'exit');
    this.server.kill();
    await ended;
  }
}
