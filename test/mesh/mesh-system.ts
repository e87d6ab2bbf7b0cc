import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueToken } from '@sky-genesis/auth';
import { runMigrations } from '@sky-genesis/database';
import { mailDatabase } from '@sky-genesis/mail/database/mail-database';
import { searchDatabase } from '@sky-genesis/search/database/search-database';
import { TestEdge } from '../edge/test-edge';
import { freePort } from '../free-port';
import { TestRelay } from '../integration/test-relay';
import { type AppName, AppProcess } from './app-process';
import { EtcdServer } from './etcd-server';

const AUTH = { AUTH_SECRET: 'a secret for tests only, 32 bytes or more', AUTH_ISSUER: 'test', AUTH_AUDIENCE: 'sge' };
const SCOPES = 'mail.send mail.read events.read search.read search.write files.read files.write';

export const bearer = (): string =>
  `Bearer ${issueToken(AUTH, { sub: 'alice', tenant: 'acme', scope: SCOPES, senders: ['*@example.com'] }, 3600)}`;

export interface MeshSettings {
  /** URLs of two empty databases, of mail and of search. */
  databases: { mail: string; search: string };
  mails?: number;
  searches?: number;
  gateways?: number;
  /** A real edge in front of all of them. */
  edge?: boolean;
  /** Of every app. */
  settings?: Record<string, string>;
  /** A folder as `npm run certs` makes it: then all speak mutual TLS. */
  certificates?: string;
}

/** Several instances of every service, found by etcd, each in a process of its own; two gateways; an edge where one is asked for. */
export class MeshSystem {
  private constructor(
    readonly mails: readonly AppProcess[],
    readonly searches: readonly AppProcess[],
    readonly gateways: readonly AppProcess[],
    readonly etcd: EtcdServer,
    readonly relay: TestRelay,
    readonly edge: TestEdge | undefined,
    private readonly filesFolder: string,
    readonly serviceKey: string,
  ) {}

  static async start({
    databases,
    mails = 3,
    searches = 2,
    gateways = 2,
    edge = false,
    settings = {},
    certificates,
  }: MeshSettings): Promise<MeshSystem> {
    const filesFolder = mkdtempSync(join(tmpdir(), 'sge-mesh-'));
    const [etcd, relay] = [await EtcdServer.started(), new TestRelay(await freePort())];
    await relay.start();
    await runMigrations(mailDatabase({ DATABASE_URL: databases.mail, DATABASE_POOL_SIZE: 4, GRPC_TIMEOUT: 30 }));
    await runMigrations(searchDatabase({ SEARCH_DATABASE_URL: databases.search, SEARCH_DATABASE_POOL_SIZE: 4, GRPC_TIMEOUT: 30 }));
    const environment = { ...forAll(databases, etcd, relay, filesFolder), ...settings };
    const system = new MeshSystem(
      await several(mails, () => serviceProcess('mail', { ...environment, ...tlsOf('mail', certificates) })),
      await several(searches, () => serviceProcess('search', { ...environment, ...tlsOf('search', certificates) })),
      await several(gateways, () => gatewayProcess({ ...environment, ...tlsOf('api-gateway', certificates) })),
      etcd,
      relay,
      undefined,
      filesFolder,
      environment.SERVICE_KEY,
    );
    for (const group of [system.mails, system.searches, system.gateways]) await Promise.all(group.map((app) => app.start()));
    return edge ? system.behindEdge(certificates) : system;
  }

  get apps(): readonly AppProcess[] {
    return [...this.mails, ...this.searches, ...this.gateways];
  }

  async stop(): Promise<void> {
    await this.edge?.remove();
    for (const app of this.apps) app.signal('SIGCONT');
    await Promise.all(this.apps.map((app) => app.end('SIGKILL')));
    await Promise.all([this.etcd.remove(), this.relay.stop()]);
    rmSync(this.filesFolder, { recursive: true, force: true });
  }

  private async behindEdge(certificates: string | undefined): Promise<MeshSystem> {
    const addresses = (group: readonly AppProcess[]) => group.map(({ address }) => address).join(',');
    const behind = { gateway: addresses(this.gateways), mail: addresses(this.mails), search: addresses(this.searches) };
    const edge = await TestEdge.start(behind, edgeTls(certificates));
    return new MeshSystem(this.mails, this.searches, this.gateways, this.etcd, this.relay, edge, this.filesFolder, this.serviceKey);
  }
}

const forAll = ({ mail, search }: MeshSettings['databases'], etcd: EtcdServer, relay: TestRelay, filesFolder: string) => ({
  ...AUTH,
  NODE_ENV: 'test',
  LOG_LEVEL: 'info',
  SERVICE_KEY: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  PAGE_TOKEN_KEY: Buffer.alloc(32, 1).toString('base64url'),
  DATABASE_URL: mail,
  DATABASE_POOL_SIZE: '8',
  SEARCH_DATABASE_URL: search,
  MAIL_RELAY_URL: relay.url,
  FILES_DIR: filesFolder,
  FILES_SHARED: 'true',
  GRPC_MAIL_SERVICE_ADDR: 'etcd:///mail',
  GRPC_SEARCH_SERVICE_ADDR: 'etcd:///search',
  ETCD_ENDPOINTS: etcd.url,
  DRAIN_NOTICE_SECONDS: '2',
  DRAIN_SECONDS: '10',
});

const tlsOf = (name: AppName, folder: string | undefined): Record<string, string> =>
  folder === undefined
    ? {}
    : {
        GRPC_TLS_CERT: join(folder, `${name}.pem`),
        GRPC_TLS_KEY: join(folder, `${name}.key`),
        GRPC_TLS_CA: join(folder, 'ca.pem'),
        GRPC_TLS_RELOAD_SECONDS: '1',
      };

const edgeTls = (folder: string | undefined): Record<string, string> =>
  folder === undefined
    ? {}
    : {
        EDGE_UPSTREAM_TLS: 'grpc',
        EDGE_UPSTREAM_CA: join(folder, 'ca.pem'),
        EDGE_UPSTREAM_CERT: join(folder, 'edge.pem'),
        EDGE_UPSTREAM_KEY: join(folder, 'edge.key'),
      };

const several = async <T>(count: number, make: () => Promise<T>): Promise<T[]> => {
  const made: T[] = [];
  for (let i = 0; i < count; i++) made.push(await make());
  return made;
};

async function serviceProcess(app: Extract<AppName, 'mail' | 'search'>, environment: Record<string, string>): Promise<AppProcess> {
  const [grpc, health] = [await freePort(), await freePort()];
  return new AppProcess(app, `127.0.0.1:${grpc}`, `http://127.0.0.1:${health}`, {
    ...environment,
    GRPC_PORT: String(grpc),
    HEALTH_PORT: String(health),
  });
}

async function gatewayProcess(environment: Record<string, string>): Promise<AppProcess> {
  const http = await freePort();
  return new AppProcess('api-gateway', `127.0.0.1:${http}`, `http://127.0.0.1:${http}`, { ...environment, HTTP_PORT: String(http) });
}
