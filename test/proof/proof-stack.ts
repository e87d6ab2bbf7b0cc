import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ProcessName, StackDescription } from '../../tools/stack/stack-file';
import type { Started } from './started';

/** As seen from test/proof/dist. */
const STACK_MAIN = resolve(__dirname, '../../../tools/dist/stack/main.js');
const FREE_PORTS = Object.fromEntries(
  ['HTTP', 'MAIL_GRPC', 'MAIL_HEALTH', 'SEARCH_GRPC', 'SEARCH_HEALTH', 'SMTP_SINK', 'EDGE'].map((name) => [`SGE_${name}_PORT`, '0']),
);
const END_MS = 90_000;

/** The stack as `npm start` runs it, in a process of its own, on free ports and a data folder of its own. */
export class ProofStack {
  private readonly folder = mkdtempSync(join(tmpdir(), 'sge-proof-'));
  private readonly child: ChildProcess;
  private shown = '';

  private constructor(settings: NodeJS.ProcessEnv) {
    this.child = spawn(process.execPath, [STACK_MAIN], {
      // Nothing of this shell's settings. As under npm, it ends when its parent is gone, however that went.
      env: {
        PATH: process.env['PATH'],
        npm_lifecycle_event: 'proof',
        SGE_DATA_DIR: this.folder,
        ...FREE_PORTS,
        SGE_EDGE: 'off',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const output of [this.child.stdout, this.child.stderr])
      output?.setEncoding('utf8').on('data', (text: string) => (this.shown += text));
  }

  /** Resolves when it is ready. */
  static async start(started: Started, settings: NodeJS.ProcessEnv): Promise<ProofStack> {
    const stack = new ProofStack(settings);
    started.onEnd(() => stack.end());
    await stack.ready();
    return stack;
  }

  /** What it says of itself now: a part that was started again has another pid. */
  get description(): StackDescription {
    return JSON.parse(readFileSync(join(this.folder, 'stack.json'), 'utf8')) as StackDescription;
  }

  get inbox(): string {
    return join(this.folder, 'inbox');
  }

  /** The CA that the certificate of its edge is of, PEM. */
  get edgeCa(): Buffer {
    return readFileSync(join(this.folder, 'edge', 'tls', 'ca.pem'));
  }

  /** What a part printed, over all its runs. */
  log(name: ProcessName): string {
    return readFileSync(join(this.folder, 'logs', `${name}.log`), 'utf8');
  }

  /** The line of its terminal that begins so, without the beginning; undefined: there is none. */
  told(beginning: string): string | undefined {
    const lines = this.shown.split('\n').map((line) => line.trim());
    return lines.find((line) => line.startsWith(beginning))?.slice(beginning.length);
  }

  pid(name: ProcessName): number {
    const { [name]: pid } = this.description.pids;
    if (pid === undefined) throw new Error(`the stack has no ${name}`);
    return pid;
  }

  /** What it gave mail to work with: database, relay, keys. */
  mailEnvironment(): NodeJS.ProcessEnv {
    return environmentOf(this.pid('mail'));
  }

  /** kill -9 of a part (of PostgreSQL: its first process); the stack starts it again. Returns the pid that is no more. */
  kill(name: ProcessName): number {
    const pid = this.pid(name);
    if (parentOf(pid) !== this.child.pid) throw new Error(`process ${pid} is not this stack's ${name}`);
    process.kill(pid, 'SIGKILL');
    return pid;
  }

  private async ready(): Promise<void> {
    await new Promise<void>((ready, failed) => {
      this.child.stdout?.on('data', () => this.shown.includes('Ready in') && ready());
      this.child.once('error', failed);
      this.child.once('exit', (code, signal) => failed(new Error(`the stack ended (${signal ?? code}):\n${this.shown}`)));
    });
  }

  /** In order, as by Ctrl-C; by force when that takes too long (its parts end with it). */
  private async end(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined) {
      const ended = once(this.child, 'exit');
      const force = setTimeout(() => this.child.kill('SIGKILL'), END_MS);
      this.child.kill('SIGINT');
      await ended;
      clearTimeout(force);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The fourth field of /proc/<pid>/stat, counted after the name, which may hold blanks. */
function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function environmentOf(pid: number): NodeJS.ProcessEnv {
  const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  return Object.fromEntries(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
}
