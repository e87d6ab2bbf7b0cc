import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StackDescription } from '../tools/stack/stack-file';

/** As seen from bench/dist. */
const STACK_MAIN = join(__dirname, '..', '..', 'tools', 'dist', 'stack', 'main.js');
const FREE_PORTS = { SGE_HTTP_PORT: '0', SGE_MAIL_GRPC_PORT: '0', SGE_MAIL_HEALTH_PORT: '0', SGE_SMTP_SINK_PORT: '0' };

/** The stack of `npm start`, on free ports and in a folder of its own. */
export class BenchStack {
  private constructor(
    readonly description: StackDescription & { pids: { gateway: number; mail: number; postgres: number } },
    /** The stack's own PostgreSQL, for the yardstick. */
    readonly databaseUrl: string,
    private readonly stack: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(settings: Record<string, string>): Promise<BenchStack> {
    const folder = mkdtempSync(join(tmpdir(), 'sge-bench-'));
    const stack = spawn(process.execPath, [STACK_MAIN], {
      env: { PATH: process.env.PATH, SGE_DATA_DIR: folder, ...FREE_PORTS, LOG_LEVEL: 'warn', ...settings },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await ready(stack);
    const description = JSON.parse(readFileSync(join(folder, 'stack.json'), 'utf8')) as BenchStack['description'];
    const environment = readFileSync(`/proc/${description.pids.mail}/environ`, 'utf8').split('\0');
    const databaseUrl = environment.find((line) => line.startsWith('DATABASE_URL='))?.slice('DATABASE_URL='.length) ?? '';
    return new BenchStack(description, databaseUrl, stack, folder);
  }

  async stop(): Promise<void> {
    const ended = once(this.stack, 'exit');
    this.stack.kill('SIGINT');
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The stack prints its curl line last, when all is ready. */
async function ready(stack: ChildProcess): Promise<void> {
  let printed = '';
  await new Promise<void>((resolve, reject) => {
    stack.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.includes('curl ')) resolve();
    });
    stack.once('exit', (code) => reject(new Error(`the stack ended with ${code}:\n${printed}`)));
  });
}
