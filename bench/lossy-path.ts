import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const SEED = 2026;

export interface Loss {
  /** Of the datagrams of each direction: 0.05 is 5%. */
  dropped: number;
  /** Of each direction: half of what is added to a round trip. */
  delayMs: number;
}

/** A way to the edge that loses and delays datagrams, in a process of its own: it takes nothing from the client's. */
export class LossyPath {
  private constructor(
    readonly loss: Loss,
    readonly port: number,
    private readonly proxy: ChildProcess,
  ) {}

  static async to(port: number, loss: Loss): Promise<LossyPath> {
    const settings = [port, SEED, loss.dropped, loss.delayMs].map(String);
    const proxy = spawn(process.execPath, [join(__dirname, 'lossy-path.server.js'), ...settings], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [own] = (await once(proxy.stdout, 'data')) as [Buffer];
    return new LossyPath(loss, Number(String(own)), proxy);
  }

  async stop(): Promise<void> {
    const ended = once(this.proxy, 'exit');
    this.proxy.stdin?.end();
    await ended;
  }
}
