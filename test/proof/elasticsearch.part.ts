import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { untilNoneLeft } from './moving';
import { findPorts, ROOT } from './stack-parts';
import type { Started } from './started';

const START = join(ROOT, 'tools/elasticsearch/start-elasticsearch');
const START_MS = 180_000;
const GONE_WITHIN_MS = 10_000;
/**
 * Below those that the system gives to connections: a client that asks again and again for a port that is one of these,
 * while nobody listens there, gets connected to itself at last, and holds the port.
 */
const PORTS = { min: 20_000, max: 29_999 };
const PORT_TRIES = 20;
const run = promisify(execFile);

/** An Elasticsearch of the round's own, on a port and a folder that it keeps when it is killed and started again. */
export class ElasticsearchPart {
  private readonly folder = mkdtempSync(join(tmpdir(), 'sge-proof-elasticsearch-'));

  private constructor(
    private readonly port: number,
    private readonly heap: string,
  ) {}

  /** Resolves when it answers. @param heap of Java, such as 512m */
  static async start(started: Started, heap: string): Promise<ElasticsearchPart> {
    const part = new ElasticsearchPart(await freePort(), heap);
    started.onEnd(() => part.remove());
    await part.start();
    return part;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves when it answers; after a kill on the data that are there. */
  async start(): Promise<void> {
    const env = { ...process.env, ELASTICSEARCH_HEAP: this.heap };
    await run(START, [this.folder, String(this.port)], { env, timeout: START_MS });
  }

  /** kill -9 of the launcher and of the server that it started; resolves when they are gone. */
  async kill(): Promise<void> {
    const pids = this.pids();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    const gone = await untilNoneLeft(() => pids.filter(isElasticsearch).length, GONE_WITHIN_MS);
    if (!gone) throw new Error(`Elasticsearch (${pids.join(', ')}) does not end`);
  }

  private async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private pids(): number[] {
    return ['launcher.pid', 'server.pid'].map((file) => this.pidIn(file)).filter(isElasticsearch);
  }

  private pidIn(file: string): number {
    try {
      return Number(readFileSync(join(this.folder, file), 'utf8').trim());
    } catch {
      return 0;
    }
  }
}

async function freePort(): Promise<number> {
  for (let tries = 1; ; tries++) {
    const port = randomInt(PORTS.min, PORTS.max);
    try {
      return (await findPorts({ port: { setting: 'none', port } }, 0)).port;
    } catch (error) {
      if (tries === PORT_TRIES) throw error;
    }
  }
}

/** Never a later process that got the same number, and none that is dead already. */
function isElasticsearch(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const state = stat.slice(stat.lastIndexOf(')') + 2)[0];
    return state !== 'Z' && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('elasticsearch');
  } catch {
    return false;
  }
}
