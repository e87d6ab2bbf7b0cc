import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueToken } from '@sky-genesis/auth';
import type { StackDescription } from '../tools/stack/stack-file';

/** As seen from bench/dist. */
const STACK_MAIN = join(__dirname, '..', '..', 'tools', 'dist', 'stack', 'main.js');
const FREE_PORTS = Object.fromEntries(
  ['HTTP', 'MAIL_GRPC', 'MAIL_HEALTH', 'SEARCH_GRPC', 'SEARCH_HEALTH', 'SMTP_SINK', 'EDGE'].map((name) => [`SGE_${name}_PORT`, '0']),
);
const TOKEN_SECONDS = 6 * 3600;

/** The stack of `npm start`, on free ports and in a folder of its own. */
export class BenchStack {
  private constructor(
    readonly description: StackDescription & { pids: { gateway: number; mail: number; search: number; postgres: number } },
    private readonly environment: ReadonlyMap<string, string>,
    private readonly stack: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(settings: Record<string, string>): Promise<BenchStack> {
    const folder = mkdtempSync(join(tmpdir(), 'sge-bench-'));
    const stack = spawn(process.execPath, [STACK_MAIN], {
      env: { PATH: process.env.PATH, SGE_DATA_DIR: folder, ...FREE_PORTS, SGE_EDGE: 'off', LOG_LEVEL: 'warn', ...settings },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await ready(stack);
    const description = JSON.parse(readFileSync(join(folder, 'stack.json'), 'utf8')) as BenchStack['description'];
    return new BenchStack(description, mailEnvironment(description.pids.mail), stack, folder);
  }

  /** The stack's own PostgreSQL, for the yardstick. */
  get databaseUrl(): string {
    return this.environment.get('DATABASE_URL') ?? '';
  }

  /** As a client of it needs it. @throws Error where the stack has none: nginx cannot be had, or SGE_EDGE is not `on` */
  get edge(): { port: number; pid: number; ca: string; caFile: string } {
    const { ports, pids } = this.description;
    if (ports.edge === undefined || pids.edge === undefined) throw new Error('the stack has no edge');
    const caFile = join(this.folder, 'edge', 'tls', 'ca.pem');
    return { port: ports.edge, pid: pids.edge, ca: readFileSync(caFile, 'utf8'), caFile };
  }

  /** A token with these scopes for a tenant, by the secret that the stack made for itself. */
  tokenOf(tenant: string, scope: string): string {
    const [issuer, audience] = ['AUTH_ISSUER', 'AUTH_AUDIENCE'].map((name) => this.environment.get(name) ?? '');
    const secret = readFileSync(this.environment.get('AUTH_SECRET_FILE') ?? '', 'utf8');
    const settings = { AUTH_SECRET: secret, AUTH_ISSUER: issuer ?? '', AUTH_AUDIENCE: audience ?? '' };
    return issueToken(settings, { sub: 'bench', tenant, scope, senders: ['*@example.com'] }, TOKEN_SECONDS);
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

/** What the stack gave mail to work with: database, keys. */
function mailEnvironment(pid: number): ReadonlyMap<string, string> {
  const lines = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
