import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { StackDescription } from '../tools/stack/stack-file';
import { eventually } from './eventually';

const MAIN = resolve(__dirname, '../tools/dist/stack/main.js');
const FREE_PORTS = Object.fromEntries(
  ['HTTP', 'MAIL_GRPC', 'MAIL_HEALTH', 'SEARCH_GRPC', 'SEARCH_HEALTH', 'SMTP_SINK', 'EDGE'].map((name) => [`SGE_${name}_PORT`, '0']),
);
const START_MS = 60_000;

/**
 * The embedded stack as `npm start` runs it (built before, by `tsc -b`), in a process of its own, on free ports and a
 * data folder of its own. It can be ended and started again on the same folder; `remove` is for the end of a suite.
 */
export class TestStack {
  readonly dataFolder = mkdtempSync(join(tmpdir(), 'sge-stack-'));
  /** What it told on its terminal. */
  shown = '';
  private process: ChildProcess | undefined;

  constructor(private readonly environment: Record<string, string> = {}) {}

  static async started(environment: Record<string, string> = {}): Promise<TestStack> {
    const stack = new TestStack(environment);
    await stack.start();
    return stack;
  }

  /** Resolves when all is ready. */
  async start(): Promise<void> {
    const before = this.shown.length;
    const started = this.spawn();
    this.process = started;
    // Not by stack.json: one that was killed leaves its own.
    await eventually(() => started.exitCode !== null || this.shown.includes('Ready in', before), Boolean, START_MS);
    if (started.exitCode !== null) throw new Error(`the stack did not start:\n${this.shown}`);
  }

  /** Starts another one on the same folder, which has to end by itself. */
  async startSecond(): Promise<{ exitCode: number | null; shown: string }> {
    const before = this.shown.length;
    const [exitCode] = (await once(this.spawn(), 'close')) as [number | null];
    return { exitCode, shown: this.shown.slice(before) };
  }

  /** What a started one says of itself. */
  get description(): StackDescription {
    return JSON.parse(readFileSync(this.stackFile, 'utf8')) as StackDescription;
  }

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  /** As Ctrl-C does; gives the exit code. */
  async end(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    const { process } = this;
    if (!process) return null;
    if (process.exitCode === null && process.signalCode === null) {
      process.kill(signal);
      await once(process, 'close');
    }
    return process.exitCode;
  }

  async remove(): Promise<void> {
    await this.end();
    rmSync(this.dataFolder, { recursive: true, force: true });
  }

  /** The mail with that id as the sink keeps it, once it is there. */
  async received(messageId: string): Promise<string> {
    const path = join(this.dataFolder, 'inbox', `${messageId}.eml`);
    await eventually(() => existsSync(path), Boolean);
    return readFileSync(path, 'utf8');
  }

  /** A REST call by the stack's own token. */
  async rest(method: string, path: string, body?: unknown, token = this.description.token): Promise<RestAnswer> {
    const answer = await fetch(new URL(path, this.description.urls.gateway), {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> };
  }

  private get stackFile(): string {
    return join(this.dataFolder, 'stack.json');
  }

  private spawn(): ChildProcess {
    const started = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env['PATH'], ...FREE_PORTS, SGE_EDGE: 'off', SGE_DATA_DIR: this.dataFolder, ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const output of [started.stdout, started.stderr]) output?.setEncoding('utf8').on('data', (text: string) => (this.shown += text));
    return started;
  }
}

export interface RestAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}
