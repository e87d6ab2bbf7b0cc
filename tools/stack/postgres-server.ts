import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from './embedded-postgres';
import { LogFile } from './log-file';
import { findPorts } from './loopback-ports';
import { RunningProcess } from './running-process';
import { makeSecrets } from './secrets';

/** A PostgreSQL in a temporary folder, without the rest of the stack: for tests and the bench. */
export class PostgresServer {
  private running: RunningProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly postgres: EmbeddedPostgres,
  ) {}

  /** Made and started. @param settings more of postgresql.conf; it is durable unless they say otherwise */
  static async started(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'sge-postgres-'));
    mkdirSync(join(folder, 'secrets'));
    const { port } = await findPorts({ port: { setting: '', port: 0 } }, 0);
    const { databasePassword: passwordFile } = makeSecrets(join(folder, 'secrets'));
    const server = new PostgresServer(folder, new EmbeddedPostgres({ folder: join(folder, 'data'), port, passwordFile, settings }));
    await server.start();
    return server;
  }

  /** postgresql://user:password@host:port/postgres, as its superuser; the same over all starts. */
  get url(): string {
    return new URL('/postgres', this.postgres.url).href;
  }

  /** Of its main process. */
  get pid(): number {
    return this.running?.pid ?? 0;
  }

  /** After a stop, on the same data. */
  async start(): Promise<void> {
    await this.postgres.prepare();
    this.running = new RunningProcess(this.postgres.program(), new LogFile(join(this.folder, 'postgres.log')));
    await this.running.ready();
  }

  /** Its connections are cut. */
  async stop(): Promise<void> {
    await this.running?.end();
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
