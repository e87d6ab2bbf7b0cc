import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ElasticsearchContainer } from '@testcontainers/elasticsearch';
import { eventually } from './eventually';
import { freePort } from './free-port';

const START = resolve(__dirname, '../tools/elasticsearch/start-elasticsearch');
const PROVISION = resolve(__dirname, '../.provision');
const SHARED = process.env['PROVISION_DIR'] ?? PROVISION;
const IMAGE = 'docker.elastic.co/elasticsearch/elasticsearch:9.4.3';
const START_MS = 180_000;
const run = promisify(execFile);

export interface ServerOptions {
  /** Of the Java heap, such as 256m. */
  heap?: string;
}

/**
 * A real Elasticsearch. `get` is the one that all suites of a run share: the one that ELASTICSEARCH_URL names, else one in
 * a container where an engine has the image, else the provisioned one, which tools/provision/stop ends. `started` is one
 * of its own that can be killed and started again on the same data.
 */
export class ElasticsearchServer {
  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly heap: string,
  ) {}

  /** The URL of the one that all share. */
  static async get(): Promise<string> {
    const given = process.env['ELASTICSEARCH_URL'];
    if (given) return given;
    return (await inContainer()) ?? shared();
  }

  static async started({ heap = '256m' }: ServerOptions = {}): Promise<ElasticsearchServer> {
    const server = new ElasticsearchServer(mkdtempSync(join(tmpdir(), 'sge-elasticsearch-')), await freePort(), heap);
    await server.start();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Of its launcher. */
  get pid(): number {
    return pidIn(this.folder, 'launcher.pid');
  }

  /** Resolves when it answers; again on the same port and data after `kill` or `stop`. */
  async start(): Promise<void> {
    await startIn(this.folder, this.port, this.heap);
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
    const pids = [pidIn(this.folder, 'launcher.pid'), pidIn(this.folder, 'server.pid')].filter((pid) => isElasticsearch(pid));
    for (const pid of pids) process.kill(pid, signal);
    await eventually(
      () => pids.some(isElasticsearch),
      (runs) => !runs,
    );
  }
}

const pidIn = (folder: string, file: string): number => {
  const path = join(folder, file);
  return existsSync(path) ? Number(readFileSync(path, 'utf8').trim()) : 0;
};

/** Never a later process that got the same number. */
function isElasticsearch(pid: number): boolean {
  try {
    const state = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0];
    return pid > 0 && state !== 'Z' && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('elasticsearch');
  } catch {
    return false;
  }
}

async function startIn(folder: string, port: number, heap: string): Promise<void> {
  await run(START, [folder, String(port)], { env: { ...process.env, ELASTICSEARCH_HEAP: heap }, timeout: START_MS });
}

/** Started by the first who asks; the script sees to it that there is only one. */
async function shared(): Promise<string> {
  const { stdout } = await run(START, [join(SHARED, 'elasticsearch', 'run'), '0'], { timeout: START_MS });
  return stdout.trim();
}

const CONTAINER_FILE = join(SHARED, 'elasticsearch', 'container.url');

/** Only with an image that is there: where it is not, the provisioned server is as good and faster to be had. */
async function inContainer(): Promise<string | undefined> {
  const known = existsSync(CONTAINER_FILE) ? readFileSync(CONTAINER_FILE, 'utf8') : undefined;
  if (known !== undefined && (await answers(known))) return known;
  const has = await run('docker', ['image', 'inspect', IMAGE], { timeout: 10_000 }).then(
    () => true,
    () => false,
  );
  if (!has) return undefined;
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const container = await new ElasticsearchContainer(IMAGE)
    .withEnvironment({ 'xpack.security.enabled': 'false', ES_JAVA_OPTS: '-Xms512m -Xmx512m' })
    .start();
  mkdirSync(join(SHARED, 'elasticsearch'), { recursive: true });
  writeFileSync(CONTAINER_FILE, container.getHttpUrl());
  return container.getHttpUrl();
}

const answers = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    ({ ok }) => ok,
    () => false,
  );
