import 'reflect-metadata';
import { generateKeyPairSync } from 'node:crypto';
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

const AUTH = { AUTH_SECRET: 'a secret for tests only, 32 bytes or more', AUTH_ISSUER: 'test', AUTH_AUDIENCE: 'sge' };
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

const SERVICE_KEY = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** What a mail process needs, on free ports. */
export const mailEnvironment = async (database: TestDatabase, relay: TestRelay, settings: Record<string, string> = {}) => ({
  ...AUTH,
  SERVICE_KEY,
  LOG_LEVEL: 'silent',
  NODE_ENV: 'test',
  SHUTDOWN_GRACE_SECONDS: '2',
  DATABASE_URL: database.url,
  GRPC_PORT: String(await freePort()),
  HEALTH_PORT: '0',
  MAIL_RELAY_URL: relay.url,
  ...settings,
});

export interface RestAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

type ClientClass = new (address: string, secure: unknown) => Client;

/** Mail and gateway in this process, on a database and a relay of their own. */
export class TestSystem {
  private constructor(
    readonly url: string,
    readonly grpcUrl: string,
    readonly healthUrl: string,
    readonly database: TestDatabase,
    readonly relay: TestRelay,
    private readonly client: Client,
    private readonly health: Client,
    private readonly closers: (() => Promise<void>)[],
  ) {}

  /** @param given a relay or a database that the test makes itself; they are ended with the system all the same */
  static async start(
    settings: Record<string, string> = {},
    given: { relay?: TestRelay; database?: TestDatabase } = {},
  ): Promise<TestSystem> {
    const database = given.database ?? (await createDatabase());
    const usedRelay = given.relay ?? new TestRelay(await freePort());
    if (!given.relay) await usedRelay.start();
    const environment = await mailEnvironment(database, usedRelay, settings);
    const mailConfig = readMailConfig(environment);
    await runMigrations(mailDatabase(mailConfig));
    const mail = await startMail(mailConfig);
    const gateway = await startGateway(readGatewayConfig({ ...environment, HTTP_PORT: '0', GRPC_MAIL_SERVICE_ADDR: mail.grpcUrl }));
    const { sky_genesis: contract, grpc } = loadPackageDefinition(loadPackage()) as unknown as {
      sky_genesis: { MailService: ClientClass };
      grpc: { health: { v1: { Health: ClientClass } } };
    };
    const client = new contract.MailService(mail.grpcUrl, credentials.createInsecure());
    const health = new grpc.health.v1.Health(mail.grpcUrl, credentials.createInsecure());
    return new TestSystem(gateway.url, mail.grpcUrl, mail.healthUrl, database, usedRelay, client, health, [
      async () => client.close(),
      async () => health.close(),
      () => gateway.close(),
      () => mail.close(),
      () => usedRelay.stop(),
      () => database.drop(),
    ]);
  }

  async stop(): Promise<void> {
    for (const close of this.closers) await close();
  }

  /** After a refusal: no table holds a trace of it, and the system still serves. */
  async expectNothingStored(): Promise<void> {
    for (const table of ['email', 'recipient', 'attachment', 'job', 'event', 'idempotency_key', 'tenant_counter']) {
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
  grpc<Response>(
    method: string,
    request: object,
    options: { token?: string | null; metadata?: Record<string, string>; timeoutMs?: number } = {},
  ): Promise<Response> {
    const metadata = new Metadata();
    if (options.token !== null) metadata.set('authorization', `Bearer ${options.token ?? token()}`);
    for (const [name, value] of Object.entries(options.metadata ?? {})) metadata.set(name, value);
    return this.call(this.client, method, request, metadata, options.timeoutMs);
  }

  grpcHealth(service: string): Promise<{ status: string }> {
    return this.call(this.health, 'check', { service }, new Metadata());
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

  async grpcError(
    method: string,
    request: object,
    options: { token?: string | null; metadata?: Record<string, string> } = {},
  ): Promise<RuleError> {
    return this.grpc(method, request, options).then(
      (answer) => {
        throw new Error(`${method} was granted: ${JSON.stringify(answer)}`);
      },
      (error: RuleError) => error,
    );
  }
}
