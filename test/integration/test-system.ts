import 'reflect-metadata';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { type Client, credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { issueToken } from '@sky-genesis/auth';
import { fromServiceError, type RuleError } from '@sky-genesis/grpc';
import { loadPackage } from '@sky-genesis/proto';
import { readGatewayConfig } from '../../apps/api-gateway/src/gateway.config';
import { startGateway } from '../../apps/api-gateway/src/start-gateway';
import { runMigrations } from '@sky-genesis/database';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { readMailConfig } from '../../apps/mail/src/mail.config';
import { startMail } from '../../apps/mail/src/start-mail';
import { freePort } from '../free-port';
import { createDatabase, type TestDatabase } from './test-database';
import { TestRelay } from './test-relay';

export const AUTH = { AUTH_SECRET: 'a secret for tests only, 32 bytes or more', AUTH_ISSUER: 'test', AUTH_AUDIENCE: 'sge' };
const ALL_SCOPES = 'mail.send mail.read events.read search.read search.write files.read files.write';

export interface TokenClaims {
  sub?: string;
  tenant?: string;
  scope?: string;
  senders?: string[];
}

export const token = (claims: TokenClaims = {}, expiresInSeconds = 600): string =>
  issueToken(
    AUTH,
    { sub: 'alice', tenant: 'acme', scope: ALL_SCOPES, senders: ['sender@example.com', '*@example.com'], ...claims },
    expiresInSeconds,
  );

export const SERVICE_KEY = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

export const filesFolderOf = ({ url }: Pick<TestDatabase, 'url'>): string => join(process.env.TEST_FILES_DIR!, new URL(url).pathname);

/** What a mail process needs, on free ports. */
export const mailEnvironment = async (database: TestDatabase, relay: TestRelay, settings: Record<string, string> = {}) => ({
  ...AUTH,
  SERVICE_KEY,
  LOG_LEVEL: 'silent',
  NODE_ENV: 'test',
  DRAIN_NOTICE_SECONDS: '0',
  DRAIN_SECONDS: '2',
  DATABASE_URL: database.url,
  GRPC_PORT: String(await freePort()),
  HEALTH_PORT: '0',
  MAIL_RELAY_URL: relay.url,
  FILES_DIR: filesFolderOf(database),
  // Of mail processes that a test runs beside each other on one database.
  FILES_SHARED: 'true',
  ...settings,
});

/** Where nothing listens: what needs search is not there. */
const NOWHERE = '127.0.0.1:1';

/** Search in this process, in a database of its own: see test-search.ts, which only suites load that need it. */
export interface TestSearch {
  grpcUrl: string;
  healthUrl: string;
  database: TestDatabase;
  close(): Promise<void>;
}

/** Starts search at an address that mail is told before; `mail` is host:port of the mail service. */
export type StartSearch = (address: string, mail: string) => Promise<TestSearch>;

export interface RestAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

type ClientClass = new (address: string, secure: unknown) => Client;

export interface CallSettings {
  token?: string | null;
  metadata?: Record<string, string>;
  timeoutMs?: number;
  /** Whose method it is; left out: mail's. */
  service?: 'mail' | 'search' | 'files';
}

/** Mail and gateway in this process, and search where a test needs it, on databases and a relay of their own. */
export class TestSystem {
  private constructor(
    readonly url: string,
    readonly grpcUrl: string,
    readonly healthUrl: string,
    readonly database: TestDatabase,
    readonly relay: TestRelay,
    private readonly clients: { mail: Client; search: Client; files: Client; health: Client },
    private readonly closers: (() => Promise<void>)[],
    private readonly foundBy: TestSearch | undefined,
  ) {}

  /** What it was started with. */
  get search(): TestSearch {
    if (!this.foundBy) throw new Error('the system was started without search');
    return this.foundBy;
  }

  /**
   * @param given a relay or a database that the test makes itself, which are ended with the system all the same; what
   *   starts search, where it is to be there
   */
  static async start(
    settings: Record<string, string> = {},
    given: { relay?: TestRelay; database?: TestDatabase; search?: StartSearch } = {},
  ): Promise<TestSystem> {
    const database = given.database ?? (await createDatabase());
    const usedRelay = given.relay ?? new TestRelay(await freePort());
    if (!given.relay) await usedRelay.start();
    const searchUrl = given.search ? `127.0.0.1:${await freePort()}` : NOWHERE;
    const environment = await mailEnvironment(database, usedRelay, {
      GRPC_SEARCH_SERVICE_ADDR: given.search ? searchUrl : '',
      ...settings,
    });
    const mailConfig = readMailConfig(environment);
    await runMigrations(mailDatabase(mailConfig));
    const mail = await startMail(mailConfig);
    const search = await given.search?.(searchUrl, mail.grpcUrl);
    const gateway = await startGateway(
      readGatewayConfig({ ...environment, HTTP_PORT: '0', GRPC_MAIL_SERVICE_ADDR: mail.grpcUrl, GRPC_SEARCH_SERVICE_ADDR: searchUrl }),
    );
    const clients = clientsOf(mail.grpcUrl, searchUrl);
    const closers = [
      async () => Object.values(clients).forEach((client) => client.close()),
      () => gateway.close(),
      () => mail.close(),
      async () => search?.close(),
      () => usedRelay.stop(),
      () => database.drop(),
      async () => search?.database.drop(),
    ];
    return new TestSystem(gateway.url, mail.grpcUrl, mail.healthUrl, database, usedRelay, clients, closers, search);
  }

  async stop(): Promise<void> {
    for (const close of this.closers) await close();
  }

  /** After a refusal: no table holds a trace of it, and the system still serves. */
  async expectNothingStored(): Promise<void> {
    for (const table of [
      'email',
      'recipient',
      'attachment',
      'job',
      'event',
      'idempotency_key',
      'tenant_counter',
      'upload',
      'file',
      'content',
    ]) {
      expect([table, await this.database.query(`select * from ${table}`)]).toEqual([table, []]);
    }
    expect((await this.rest('GET', '/health/ready')).status).toBe(200);
  }

  async rest(
    method: string,
    path: string,
    options: { body?: unknown; token?: string | null; headers?: Record<string, string> } = {},
  ): Promise<RestAnswer> {
    const authorization = options.token === null ? {} : { authorization: `Bearer ${options.token ?? token()}` };
    const body = options.body === undefined || typeof options.body === 'string' ? options.body : JSON.stringify(options.body);
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...authorization, ...(body !== undefined && { 'content-type': 'application/json' }), ...options.headers },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  }

  /** A unary call on gRPC; the error, where it fails, as the contract's details tell it. */
  grpc<Response>(method: string, request: object, options: CallSettings = {}): Promise<Response> {
    const metadata = new Metadata();
    if (options.token !== null) metadata.set('authorization', `Bearer ${options.token ?? token()}`);
    for (const [name, value] of Object.entries(options.metadata ?? {})) metadata.set(name, value);
    return this.call(this.clients[options.service ?? 'mail'], method, request, metadata, options.timeoutMs);
  }

  grpcHealth(service: string): Promise<{ status: string }> {
    return this.call(this.clients.health, 'check', { service }, new Metadata());
  }

  private call<Response>(client: Client, method: string, request: object, metadata: Metadata, timeoutMs = 20_000): Promise<Response> {
    const call = (client as unknown as Record<string, (...args: unknown[]) => void>)[method];
    if (!call) throw new Error(`no method ${method}`);
    return new Promise<Response>((resolve, reject) => {
      call.call(client, request, metadata, { deadline: Date.now() + timeoutMs }, (error: ServiceError | null, response: Response) =>
        error ? reject(fromServiceError(error)) : resolve(response),
      );
    });
  }

  async grpcError(method: string, request: object, options: CallSettings = {}): Promise<RuleError> {
    return this.grpc(method, request, options).then(
      (answer) => {
        throw new Error(`${method} was granted: ${JSON.stringify(answer)}`);
      },
      (error: RuleError) => error,
    );
  }
}

function clientsOf(mailUrl: string, searchUrl: string): { mail: Client; search: Client; files: Client; health: Client } {
  const { sky_genesis: contract, grpc } = loadPackageDefinition(loadPackage()) as unknown as {
    sky_genesis: { MailService: ClientClass; SearchService: ClientClass; StreamingService: ClientClass };
    grpc: { health: { v1: { Health: ClientClass } } };
  };
  // It connects when it is first called.
  const search = new contract.SearchService(searchUrl, credentials.createInsecure());
  const health = new grpc.health.v1.Health(mailUrl, credentials.createInsecure());
  const files = new contract.StreamingService(mailUrl, credentials.createInsecure());
  return { mail: new contract.MailService(mailUrl, credentials.createInsecure()), search, files, health };
}
