import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The yardstick in a process of its own, with a folder beside that of the stack. */
export class BareHttp {
  private constructor(
    readonly url: string,
    private readonly server: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(): Promise<BareHttp> {
    const folder = mkdtempSync(join(tmpdir(), 'sge-bare-'));
    const server = spawn(process.execPath, [join(__dirname, 'bare-http.server.js'), folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = (await once(server.stdout, 'data')) as [Buffer];
    return new BareHttp(`http://127.0.0.1:${String(port).trim()}`, server, folder);
  }

  get pid(): number {
    return this.server.pid ?? 0;
  }

  async stop(): Promise<void> {
    const ended = once(this.server, 'exit');
    this.server.kill();
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
