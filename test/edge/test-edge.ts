import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { eventually } from '../eventually';
import { freePort } from '../free-port';
import { ROOT } from '../root';
import { nginxPath } from '../system/provisioned';

const NGINX = resolve(nginxPath, '..', '..');
const TOOLS = [join(NGINX, 'sbin'), join(NGINX, 'bin'), process.env['PATH']].join(delimiter);

/** One request, as the access log tells it: see nginx-quic/conf/log.conf. */
export interface AccessLine {
  request_id: string;
  client: string;
  protocol: string;
  early_data: boolean;
  session_reused: boolean;
  method: string;
  path: string;
  status: number;
  grpc_status: string;
  upstream: string;
  seconds: number;
}

/** What is behind the edge, as host:port. */
export interface Behind {
  gateway: string;
  mail: string;
  search: string;
}

/** A real edge, as `nginx-quic/start` runs it, in a folder of its own and on a free port of loopback. */
export class TestEdge {
  /** What nginx said besides. */
  errors = '';
  private process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly environment: Record<string, string>,
  ) {}

  /** @param settings of the edge (EDGE_...) over those that join it to what is behind */
  static async start(behind: Partial<Behind>, settings: Record<string, string> = {}): Promise<TestEdge> {
    if (!existsSync(nginxPath)) throw new Error(`there is no ${nginxPath}: run tools/provision/provision, which says why it cannot be had`);
    const folder = mkdtempSync(join(tmpdir(), 'sge-edge-'));
    const port = Number(settings['EDGE_PORT'] ?? (await freePort()));
    const edge = new TestEdge(port, folder, {
      PATH: TOOLS,
      EDGE_DIR: folder,
      EDGE_PORT: String(port),
      EDGE_HOST: '127.0.0.1',
      EDGE_ACCESS_LOG: join(folder, 'access.log'),
      EDGE_GATEWAY_ADDR: behind.gateway ?? NOWHERE,
      EDGE_MAIL_ADDR: behind.mail ?? NOWHERE,
      EDGE_SEARCH_ADDR: behind.search ?? NOWHERE,
      ...settings,
    });
    await edge.run();
    return edge;
  }

  get url(): string {
    return `https://localhost:${this.port}`;
  }

  /** The development CA that its certificate is of, PEM. */
  get ca(): string {
    return readFileSync(this.caFile, 'utf8');
  }

  get caFile(): string {
    return join(dirname(this.environment['EDGE_TLS_CERT'] ?? join(this.folder, 'tls', 'edge.pem')), 'ca.pem');
  }

  /** What it has logged of its requests. nginx writes a line when the request is over. */
  get lines(): AccessLine[] {
    const whole = readFileSync(join(this.folder, 'access.log'), 'utf8').split('\n').slice(0, -1);
    return whole.map((line) => JSON.parse(line) as AccessLine);
  }

  /** What a client of HTTP/3 needs. */
  get address(): { host: string; port: number; serverName: string; ca: string } {
    return { host: '127.0.0.1', port: this.port, serverName: 'localhost', ca: this.ca };
  }

  get keysFolder(): string {
    return this.environment['EDGE_KEYS_DIR'] ?? join(this.folder, 'keys');
  }

  /** As somebody does who runs it. */
  rotateKeys(): void {
    execFileSync(join(ROOT, 'nginx-quic', 'rotate-keys'), [this.keysFolder], { env: this.environment });
  }

  /** Has `openssl` of the edge in its PATH. */
  get tools(): Record<string, string> {
    return this.environment;
  }

  /** A file in its folder, with that text if there is one. */
  fileOf(name: string, text?: string): string {
    const path = join(this.folder, name);
    if (text !== undefined) writeFileSync(path, text);
    return path;
  }

  /** Of the master: signals go there. */
  get pid(): number {
    return this.process!.pid!;
  }

  /** What its processes hold in memory, in bytes, each: the master first. */
  get residentBytes(): number[] {
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').trim().split(' ').map(Number);
    return [this.pid, ...children].map((pid) => {
      const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      return Number(kib) * 1024;
    });
  }

  /** The first line that fits, once it is there. */
  line(fits: (line: AccessLine) => boolean): Promise<AccessLine> {
    return eventually(
      () => this.lines.find(fits),
      (line) => line !== undefined,
    ) as Promise<AccessLine>;
  }

  /** Starts it again in the same folder, on the same port. */
  async run(): Promise<void> {
    const started = spawn(join(ROOT, 'nginx-quic', 'start'), {
      env: this.environment,
      stdio: ['ignore', 'ignore', 'pipe'],
      // nginx's workers stay when their master is killed: the whole group is.
      detached: true,
    });
    this.process = started;
    (started.stderr as Readable).setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    await eventually(async () => started.exitCode !== null || (await this.shakesHands()), Boolean);
    if (started.exitCode !== null) throw new Error(`the edge did not start: ${this.errors}`);
  }

  /** As somebody does who runs it. @throws with what it said (`stderr`) if it refused */
  async reload(): Promise<void> {
    await promisify(execFile)(join(ROOT, 'nginx-quic', 'reload'), { env: this.environment });
  }

  /** Ends it, by default at once; SIGQUIT waits for what is under way. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { process: running } = this;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    if (signal === 'SIGKILL') process.kill(-running.pid!, signal);
    else running.kill(signal);
    await ended;
  }

  /** For the end of a suite. */
  async remove(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private shakesHands(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: this.port, servername: 'localhost', rejectUnauthorized: false });
      const tell = (shook: boolean) => {
        socket.destroy();
        resolve(shook);
      };
      socket.once('secureConnect', () => tell(true)).once('error', () => tell(false));
    });
  }
}

/** Whether this kernel leads packets of QUIC to their worker. */
export const canQuicBpf = (): boolean =>
  execFileSync(join(ROOT, 'nginx-quic', 'probe-quic-bpf'), { env: { PATH: TOOLS }, encoding: 'utf8' }).trim() === 'on';

/** Where nothing listens. */
const NOWHERE = '127.0.0.1:1';
