import { join } from 'node:path';
import { type AppEnvironments, appEnvironments, type EmbeddedUrls, type StackPorts } from './app-environment';
import { DataFolder } from './data-folder';
import type { DataFolderLock } from './data-folder.lock';
import { EDGE_PLACES, type EdgePorts, edgeProgram, type EdgeScript, edgeUrl, getEdge } from './edge';
import { EmbeddedPostgres } from './embedded-postgres';
import { localToken } from './local-token';
import { LogFile } from './log-file';
import { findPorts, LOOPBACK } from './loopback-ports';
import {
  gatewayProgram,
  gatewayUrl,
  mailProgram,
  migrateProgram,
  type ProgramFiles,
  searchMigrateProgram,
  searchProgram,
  sinkProgram,
} from './programs';
import { type Ending, type Program, ProcessEndedError, RunningProcess } from './running-process';
import { makeSecrets, type SecretFiles } from './secrets';
import type { StackConfig } from './stack.config';
import { removeStackFile, type StackDescription, writeStackFile } from './stack-file';
import { StartError } from './start-error';
import { restartLimits, type RestartLimits, SupervisedProcess } from './supervised-process';
import type { Terminal } from './terminal';

const BOUND_LOGS_EVERY_MS = 10_000;
/** How long the processes of a stack that was killed may hold their ports. */
const LEFT_OVER_MS = 30_000;
const DAY_SECONDS = 86_400;

const LOCAL_CALLER = {
  sub: 'local',
  tenant: 'local',
  scope: 'mail.send mail.read events.read search.read search.write files.read files.write',
  senders: ['sender@example.com', '*@example.com'],
};

export interface StackOptions {
  config: StackConfig;
  /** Goes on to the apps. */
  environment: NodeJS.ProcessEnv;
  programs: ProgramFiles;
  terminal: Terminal;
  /** Called when a process can not be kept running. */
  onGiveUp: () => void;
  restartLimits?: RestartLimits;
}

/** Everything that runs on one machine: started in order, kept running, ended in the opposite order. */
export class Stack {
  private readonly folder: DataFolder;
  private readonly processes: SupervisedProcess[] = [];
  private readonly logs: LogFile[] = [];
  private lock: DataFolderLock | undefined;
  private description: StackDescription | undefined;
  private boundingLogs: NodeJS.Timeout | undefined;
  private migration: RunningProcess | undefined;
  private isEnding = false;

  constructor(private readonly options: StackOptions) {
    this.folder = new DataFolder(options.config.SGE_DATA_DIR);
  }

  /**
   * Resolves when all is ready.
   * @throws StartError, ProcessEndedError; call `end` then
   */
  async start(): Promise<StackDescription> {
    const startedAt = Date.now();
    const { config, terminal } = this.options;
    this.lock = this.folder.open();
    removeStackFile(this.folder.stackFile);
    // Fetched the first time: by when the apps are up it is there.
    const edgeScript = config.SGE_EDGE === 'on' ? getEdge(this.options.programs, this.options.environment, this.folder.edge) : undefined;
    const { postgres: postgresPort, edge: edgePort, ...ports } = await this.findPorts(this.lock.takenOver);
    terminal.line(`Starting in ${this.folder.path}`);
    const secrets = makeSecrets(this.folder.secrets);
    const embedded = postgresPort === undefined ? undefined : await this.startPostgres(postgresPort, secrets);
    await this.startPrograms(ports, appEnvironments(this.options.environment, config, ports, secrets, embedded));
    const edge = edgeScript && edgePort !== undefined ? await this.startEdge(await edgeScript, { ...ports, edge: edgePort }) : undefined;
    this.description = {
      urls: {
        gateway: gatewayUrl(ports),
        ...(ports.smtp_sink && { sink: `smtp://${LOOPBACK}:${ports.smtp_sink}` }),
        ...(edge && { edge: edgeUrl(edge) }),
      },
      ports: { ...ports, ...(edge && { edge }) },
      token: localToken(config, secrets.authSecret, LOCAL_CALLER, DAY_SECONDS) ?? '',
      pids: {},
    };
    this.writeDescription();
    this.boundingLogs = setInterval(() => this.logs.forEach((log) => log.bound()), BOUND_LOGS_EVERY_MS).unref();
    terminal.welcome(this.description, this.folder, (Date.now() - startedAt) / 1000);
    return this.description;
  }

  /** Ends what runs, last started first; what was not started is no fault. */
  async end(): Promise<void> {
    this.isEnding = true;
    clearInterval(this.boundingLogs);
    await this.migration?.end();
    for (const process of this.processes.toReversed()) {
      await process.end();
    }
    if (!this.lock) return;
    removeStackFile(this.folder.stackFile);
    this.lock.release();
  }

  private findPorts(takenOver: boolean) {
    const { config } = this.options;
    const wanted = {
      gateway: { setting: 'SGE_HTTP_PORT', port: config.SGE_HTTP_PORT },
      mail_grpc: { setting: 'SGE_MAIL_GRPC_PORT', port: config.SGE_MAIL_GRPC_PORT },
      mail_health: { setting: 'SGE_MAIL_HEALTH_PORT', port: config.SGE_MAIL_HEALTH_PORT },
      search_grpc: { setting: 'SGE_SEARCH_GRPC_PORT', port: config.SGE_SEARCH_GRPC_PORT },
      search_health: { setting: 'SGE_SEARCH_HEALTH_PORT', port: config.SGE_SEARCH_HEALTH_PORT },
      smtp_sink: config.MAIL_RELAY_URL === undefined ? { setting: 'SGE_SMTP_SINK_PORT', port: config.SGE_SMTP_SINK_PORT } : undefined,
      edge: config.SGE_EDGE === 'on' ? { setting: 'SGE_EDGE_PORT', port: config.SGE_EDGE_PORT, on: EDGE_PLACES } : undefined,
      postgres: config.DATABASE_URL === undefined ? { setting: 'DATABASE_URL', port: 0 } : undefined,
    };
    return findPorts(wanted, takenOver ? LEFT_OVER_MS : 0);
  }

  private async startPostgres(port: number, secrets: SecretFiles): Promise<EmbeddedUrls> {
    const postgres = new EmbeddedPostgres({ folder: this.folder.postgres, port, passwordFile: secrets.databasePassword });
    await this.options.terminal.step('PostgreSQL', async () => {
      await postgres.prepare();
      await this.keepRunning(postgres.program());
      await postgres.makeSearchDatabase();
    });
    return { mail: postgres.url, search: postgres.searchUrl };
  }

  private async startPrograms(ports: StackPorts, environments: AppEnvironments): Promise<void> {
    const { programs, terminal, environment: own, config } = this.options;
    const { smtp_sink: sinkPort } = ports;
    await terminal.step('migrations', async () => {
      await this.runToEnd(migrateProgram(programs, environments.mail));
      if (config.ELASTICSEARCH_URL === undefined) await this.runToEnd(searchMigrateProgram(programs, environments.search));
    });
    if (sinkPort !== undefined) {
      await terminal.step('SMTP sink', () => this.keepRunning(sinkProgram(programs, own, sinkPort, this.folder.inbox)));
    }
    await terminal.step('search', () => this.keepRunning(searchProgram(programs, environments.search, ports)));
    await terminal.step('mail', () => this.keepRunning(mailProgram(programs, environments.mail, ports)));
    await terminal.step('gateway', () => this.keepRunning(gatewayProgram(programs, environments.gateway, ports)));
  }

  /** The edge's port; undefined where there is no nginx for it: all else works without it. */
  private async startEdge(script: EdgeScript, ports: EdgePorts): Promise<number | undefined> {
    const { programs, terminal, environment } = this.options;
    if ('missing' in script) {
      terminal.line(`  No HTTP/3: ${script.missing}. Everything else works; SGE_EDGE=off does not look for it.`);
      return undefined;
    }
    const program = edgeProgram(script.path, programs, environment, this.folder.edge, ports);
    await terminal.step('edge (HTTP/3)', () => this.keepRunning(program));
    return ports.edge;
  }

  private async keepRunning(program: Program): Promise<void> {
    this.refuseWhenEnding();
    const limits = this.options.restartLimits ?? { ...restartLimits, steadyMs: this.options.config.SGE_STEADY_SECONDS * 1000 };
    const process = new SupervisedProcess(program, this.logOf(program.name), this, limits);
    this.processes.push(process);
    await process.start();
  }

  private async runToEnd(program: Program): Promise<void> {
    this.refuseWhenEnding();
    this.migration = new RunningProcess(program, this.logOf(program.name));
    const ending = await this.migration.ended;
    if (!ending.succeeded) throw new ProcessEndedError(ending);
  }

  private refuseWhenEnding(): void {
    if (this.isEnding) throw new StartError('The start was ended.');
  }

  private logOf(name: string): LogFile {
    const log = new LogFile(join(this.folder.logs, `${name}.log`));
    this.logs.push(log);
    return log;
  }

  private writeDescription(): void {
    if (!this.description || this.isEnding) return;
    this.description.pids = Object.fromEntries(this.processes.map(({ name, pid }) => [name, pid]));
    writeStackFile(this.folder.stackFile, this.description);
  }

  died(ending: Ending, restartInMs: number): void {
    this.options.terminal.ended(ending, `Starting it again in ${restartInMs / 1000} s.`);
  }

  restarted(name: string): void {
    this.options.terminal.event(`${name} runs again.`);
    this.writeDescription();
  }

  gaveUp(ending: Ending): void {
    this.options.terminal.ended(ending, 'It does not stay up: giving up.');
    this.options.onGiveUp();
  }
}
