import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LOOPBACK } from '../stack/loopback-ports';
import { steadyPort } from '../stack/steady-port';

/** Beside this file, or beside its source where it is built. */
export const START_ELASTICSEARCH = [__dirname, resolve(__dirname, '../../elasticsearch')]
  .map((folder) => join(folder, 'start-elasticsearch'))
  .find(existsSync) as string;
export const ELASTICSEARCH_START_MS = 180_000;
const GONE_WITHIN_MS = 20_000;
const run = promisify(execFile);

/** A real Elasticsearch for tests, which can be killed and started again on the same port and data. */
export class ElasticsearchServer {
  private readonly folder = mkdtempSync(join(tmpdir(), 'sge-elasticsearch-'));

  private constructor(
    private readonly port: number,
    private readonly heap: string,
  ) {}

  /** @param heap of Java, such as 256m */
  static async started(heap: string): Promise<ElasticsearchServer> {
    const server = new ElasticsearchServer(await steadyPort(), heap);
    await server.start();
    return server;
  }

  get url(): string {
    return `http://${LOOPBACK}:${this.port}`;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const args = [`ELASTICSEARCH_HEAP=${this.heap}`, START_ELASTICSEARCH, this.folder, String(this.port)];
    await run('env', args, { timeout: ELASTICSEARCH_START_MS });
  }

  /** With -9, the launcher and the server that it started. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** What it kept is gone: the next `start` is on an empty folder. */
  emptyData(): void {
    rmSync(join(this.folder, 'data'), { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const pids = ['launcher.pid', 'server.pid'].map((file) => this.pidIn(file)).filter(isElasticsearch);
    for (const pid of pids) process.kill(pid, signal);
    const deadline = Date.now() + GONE_WITHIN_MS;
    while (pids.some(isElasticsearch)) {
      if (Date.now() > deadline) throw new Error(`Elasticsearch (${pids.join(', ')}) does not end`);
      await sleep(25);
    }
  }

  private pidIn(file: string): number {
    const path = join(this.folder, file);
    return existsSync(path) ? Number(readFileSync(path, 'utf8').trim()) : 0;
  }
}

/** Never a later process that got the same number, and none that is dead already. */
function isElasticsearch(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const state = stat.slice(stat.lastIndexOf(')') + 2)[0];
    return pid > 0 && state !== 'Z' && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('elasticsearch');
  } catch {
    return false;
  }
}
