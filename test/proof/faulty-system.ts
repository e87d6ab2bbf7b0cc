import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueToken } from '@sky-genesis/auth';
import { backendKilled, diskFull, type Fault, faultsOf, leaseLost, proxyFaults } from '#faults/fault-list';
import { SmallDisk } from '#faults/full-disk';
import { TcpProxy } from '#faults/tcp-proxy';
import type { Program } from '../../tools/stack/running-process';
import type { SecretFiles } from '../../tools/stack/secrets';
import type { SupervisedProcess as Supervised } from '../../tools/stack/supervised-process';
import type { RoundContext } from './round';
import {
  builtPrograms,
  EmbeddedPostgres,
  findPorts,
  gatewayProgram,
  LogFile,
  mailProgram,
  makeSecrets,
  migrateProgram,
  restartLimits,
  ROOT,
  RunningProcess,
  sinkProgram,
  SupervisedProcess,
} from './stack-parts';

const RELAY_MAIN = join(ROOT, 'test/faults/dist/relay.main.js');
const ISSUED = { AUTH_ISSUER: 'proof', AUTH_AUDIENCE: 'sge' };
const CALLER = { sub: 'proof', tenant: 'local', scope: 'mail.send mail.read events.read', senders: ['*@example.com'] };
const TOKEN_SECONDS = 86_400;
const DISK_MEBIBYTES = 4000;
/** What is killed all the time is no part that cannot be kept running. */
const LIMITS = { ...restartLimits, longestDelayMs: 2000, mostInARow: 200, steadyMs: 1000 };

/** What was put off is tried again soon, and a silent relay is given up soon. */
const SETTINGS = { MAIL_RETRY_BASE_SECONDS: '1', MAIL_RETRY_MAX_SECONDS: '5', MAIL_RELAY_TIMEOUT_SECONDS: '4' };
const LOOPBACK = '127.0.0.1';

type Ports = Awaited<ReturnType<typeof freePorts>>;
type Proxies = Awaited<ReturnType<typeof proxiesTo>>;

/**
 * Two mail processes, a gateway, PostgreSQL and a relay as the stack has them, each started again when it dies, with a
 * proxy between every two.
 */
export class FaultySystem {
  readonly token: string;
  /** Processes that died and were started again. */
  restarts = 0;
  private readonly processes = new Map<string, Supervised>();
  private readonly relayFolder: string;
  private readonly secrets: SecretFiles;
  private readonly postgres: InstanceType<typeof EmbeddedPostgres>;

  private constructor(
    private readonly context: RoundContext,
    private readonly folder: string,
    private readonly ports: Ports,
    private readonly proxies: Proxies,
    /** Undefined where none can be made. */
    readonly disk: SmallDisk | undefined,
  ) {
    this.relayFolder = madeFolder(join(folder, 'relay'));
    this.secrets = makeSecrets(madeFolder(join(folder, 'secrets')));
    this.token = issueToken({ AUTH_SECRET: readFileSync(this.secrets.authSecret, 'utf8').trim(), ...ISSUED }, CALLER, TOKEN_SECONDS);
    this.postgres = new EmbeddedPostgres({
      folder: join(disk?.folder ?? folder, 'postgres'),
      port: ports.postgres,
      passwordFile: this.secrets.databasePassword,
      settings: { max_wal_size: '128MB', min_wal_size: '32MB' },
    });
  }

  /** Resolves when all is ready. */
  static async start(context: RoundContext): Promise<FaultySystem> {
    const folder = mkdtempSync(join(tmpdir(), 'sge-faults-'));
    const ports = await freePorts();
    const disk = SmallDisk.mounted(join(folder, 'disk'), DISK_MEBIBYTES);
    const system = new FaultySystem(context, folder, ports, await proxiesTo(ports), disk);
    context.started.onEnd(() => system.end());
    await system.start();
    return system;
  }

  /** Where callers come in: through proxies. */
  get entrances(): { rest: string; grpc: string[] } {
    const grpc = [this.proxies['client–mail'], this.proxies['client–worker']];
    return { rest: `http://${LOOPBACK}:${this.proxies['client–gateway'].port}`, grpc: grpc.map(({ port }) => `${LOOPBACK}:${port}`) };
  }

  /** Where is looked from: by no proxy. */
  get gatewayUrl(): string {
    return `http://${LOOPBACK}:${this.ports.gateway}`;
  }

  get databaseUrl(): string {
    return this.postgres.url;
  }

  /** What the relay noted. */
  get relayJournal(): string {
    return join(this.relayFolder, 'journal');
  }

  /** Everything that can be done to it. */
  faults(): Fault[] {
    const victims = [...this.processes].map(([name, process]) => ({ name, pid: () => process.pid }));
    return [
      ...victims.flatMap(faultsOf),
      ...victims.filter(({ name }) => name === 'PostgreSQL').map(backendKilled),
      ...victims.filter(({ name }) => name === 'mail' || name === 'worker').map(leaseLost),
      ...(this.disk ? [diskFull('disk', this.disk)] : []),
      ...Object.entries(this.proxies).flatMap(([name, proxy]) => proxyFaults(name, proxy)),
    ];
  }

  /** No faults any more: everything goes through, and the relay behaves. */
  calm(): void {
    for (const proxy of Object.values(this.proxies)) proxy.heal();
    this.disk?.relieve();
    writeFileSync(join(this.relayFolder, 'calm'), '');
  }

  private async start(): Promise<void> {
    writeFileSync(this.relayJournal, '');
    await this.postgres.prepare();
    await this.keep({ ...this.postgres.program(), name: 'PostgreSQL' });
    const files = builtPrograms();
    const { gateway, relay, mail_health, worker_health } = this.ports;
    const migration = await new RunningProcess(migrateProgram(files, this.mailEnvironment('mail')), this.log('migrate')).ended;
    if (!migration.succeeded) throw new Error(`the migrations failed: ${migration.lastLines.join('\n')}`);
    const chaos = { PATH: process.env['PATH'], CHAOS_SEED: String(this.context.random.branch(-4).integer(1, 2 ** 30)) };
    await this.keep({ ...sinkProgram({ ...files, sink: RELAY_MAIN }, chaos, relay, this.relayFolder), name: 'relay' });
    await this.keep(mailProgram(files, this.mailEnvironment('mail'), { mail_health }));
    await this.keep({ ...mailProgram(files, this.mailEnvironment('worker'), { mail_health: worker_health }), name: 'worker' });
    await this.keep(gatewayProgram(files, this.gatewayEnvironment(), { gateway }));
  }

  private async keep(program: Program): Promise<void> {
    const { say } = this.context;
    const events = {
      died: () => undefined,
      restarted: () => void this.restarts++,
      gaveUp: () => say(`${program.name} does not stay up`),
    };
    const process = new SupervisedProcess(program, this.log(program.name), events, LIMITS);
    this.processes.set(program.name, process);
    await process.start();
  }

  private environment(): NodeJS.ProcessEnv {
    const { authSecret: AUTH_SECRET_FILE, serviceKey: SERVICE_KEY_FILE } = this.secrets;
    const hosts = { GRPC_HOST: LOOPBACK, HEALTH_HOST: LOOPBACK, HTTP_HOST: LOOPBACK };
    return { PATH: process.env['PATH'], ...hosts, ...ISSUED, AUTH_SECRET_FILE, SERVICE_KEY_FILE, ...SETTINGS, ...this.context.settings };
  }

  private mailEnvironment(name: 'mail' | 'worker'): NodeJS.ProcessEnv {
    const url = new URL(this.postgres.url);
    url.port = String(this.proxies[`${name}–PostgreSQL`].port);
    return {
      ...this.environment(),
      DATABASE_URL: url.href,
      MAIL_RELAY_URL: `smtp://${LOOPBACK}:${this.proxies[`${name}–relay`].port}`,
      FILES_DIR: join(this.folder, 'files'),
      FILES_SHARED: 'true',
      GRPC_PORT: String(this.ports[`${name}_grpc`]),
      HEALTH_PORT: String(this.ports[`${name}_health`]),
    };
  }

  private gatewayEnvironment(): NodeJS.ProcessEnv {
    const GRPC_MAIL_SERVICE_ADDR = `${LOOPBACK}:${this.proxies['gateway–mail'].port}`;
    return { ...this.environment(), HTTP_PORT: String(this.ports.gateway), GRPC_MAIL_SERVICE_ADDR };
  }

  private log(name: string): InstanceType<typeof LogFile> {
    return new LogFile(join(this.folder, `${name}.log`));
  }

  private async end(): Promise<void> {
    this.calm();
    for (const process of [...this.processes.values()].toReversed()) await process.end();
    await Promise.all(Object.values(this.proxies).map((proxy) => proxy.close()));
    this.disk?.unmount();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function freePorts() {
  const any = { setting: '', port: 0 };
  const mails = { mail_grpc: any, mail_health: any, worker_grpc: any, worker_health: any };
  return findPorts({ postgres: any, relay: any, ...mails, gateway: any }, 0);
}

async function proxiesTo({ gateway, mail_grpc, worker_grpc, postgres, relay }: Ports) {
  return {
    'client–gateway': await TcpProxy.before(gateway),
    'client–mail': await TcpProxy.before(mail_grpc),
    'client–worker': await TcpProxy.before(worker_grpc),
    'gateway–mail': await TcpProxy.before(mail_grpc),
    'mail–PostgreSQL': await TcpProxy.before(postgres),
    'worker–PostgreSQL': await TcpProxy.before(postgres),
    'mail–relay': await TcpProxy.before(relay),
    'worker–relay': await TcpProxy.before(relay),
  };
}

function madeFolder(folder: string): string {
  mkdirSync(folder);
  return folder;
}
