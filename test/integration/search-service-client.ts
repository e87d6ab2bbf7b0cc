import 'reflect-metadata';
import { generateKeyPairSync } from 'node:crypto';
import { type Client, type ClientDuplexStream, credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { issueToken, ServiceTokens } from '@sky-genesis/auth';
import { fromRpcStatus, fromServiceError, type RuleError, SERVICE_AUTHORIZATION } from '@sky-genesis/grpc';
import { type IndexDocumentResult, type IndexDocumentsResponse, loadPackage, type SearchResponse } from '@sky-genesis/proto';
import { freePort } from '../free-port';

const AUTH = { AUTH_SECRET: 'a secret for tests only, 32 bytes or more', AUTH_ISSUER: 'test', AUTH_AUDIENCE: 'sge' };
const SERVICE_KEY = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const ALL_SCOPES = 'search.read search.write mail.read';

/** What a search process needs beside its engine, on free ports. */
export const searchEnvironment = async (settings: Record<string, string> = {}) => ({
  ...AUTH,
  SERVICE_KEY,
  LOG_LEVEL: 'silent',
  NODE_ENV: 'test',
  DRAIN_NOTICE_SECONDS: '0',
  DRAIN_SECONDS: '2',
  GRPC_PORT: String(await freePort()),
  HEALTH_PORT: '0',
  ...settings,
});

export const searchToken = (claims: { tenant?: string; scope?: string } = {}, expiresInSeconds = 600): string =>
  issueToken(AUTH, { sub: 'alice', tenant: 'acme', scope: ALL_SCOPES, ...claims }, expiresInSeconds);

export interface CallSettings {
  token?: string | undefined;
  /** Calls as this service of the product, on its own behalf. */
  service?: string;
  timeoutMs?: number;
}

type ClientClass = new (address: string, secure: unknown, options?: object) => Client;
type Method = (request: object, metadata: Metadata, options: object, done: (error: ServiceError | null, response: unknown) => void) => void;

async function metadataOf({ token, service }: CallSettings): Promise<Metadata> {
  const metadata = new Metadata();
  if (service === undefined) metadata.set('authorization', `Bearer ${token ?? searchToken()}`);
  else metadata.set(SERVICE_AUTHORIZATION, `Bearer ${await new ServiceTokens(SERVICE_KEY).issue(service)}`);
  return metadata;
}

/** A client of one running search, as foreign as grpcurl. */
export class SearchServiceClient {
  private readonly client: Client;
  private readonly health: Client;

  constructor(grpcUrl: string) {
    const { sky_genesis: contract, grpc } = loadPackageDefinition(loadPackage()) as unknown as {
      sky_genesis: { SearchService: ClientClass };
      grpc: { health: { v1: { Health: ClientClass } } };
    };
    this.client = new contract.SearchService(grpcUrl, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    this.health = new grpc.health.v1.Health(grpcUrl, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  }

  close(): void {
    this.client.close();
    this.health.close();
  }

  search(request: object, settings: CallSettings = {}): Promise<SearchResponse> {
    return this.call('search', request, settings);
  }

  index(document: object, settings: CallSettings & { tenant?: string } = {}): Promise<{ id: string; status: string }> {
    return this.call('indexDocument', { document, tenant: settings.tenant ?? '' }, settings);
  }

  delete(request: object, settings: CallSettings = {}): Promise<{ deleted: boolean }> {
    return this.call('deleteDocument', request, settings);
  }

  /** What a call is refused with. */
  async refusal(call: Promise<unknown>): Promise<RuleError> {
    return call.then(
      (answer) => {
        throw new Error(`granted: ${JSON.stringify(answer)}`);
      },
      (error: RuleError) => error,
    );
  }

  async servingStatus(): Promise<string> {
    return (await this.unary<{ status: string }>(this.health, 'check', { service: 'sky_genesis.SearchService' }, new Metadata(), 5000))
      .status;
  }

  async stream(settings: CallSettings = {}): Promise<IndexClient> {
    const open = (this.client as unknown as { indexDocuments(metadata: Metadata): IndexCall }).indexDocuments;
    return new IndexClient(open.call(this.client, await metadataOf(settings)));
  }

  private async call<Response>(method: string, request: object, settings: CallSettings): Promise<Response> {
    return this.unary(this.client, method, request, await metadataOf(settings), settings.timeoutMs ?? 20_000);
  }

  private unary<Response>(client: Client, method: string, request: object, metadata: Metadata, timeoutMs: number): Promise<Response> {
    const invoke = (client as unknown as Record<string, Method>)[method]!;
    return new Promise((resolve, reject) => {
      invoke.call(client, request, metadata, { deadline: Date.now() + timeoutMs }, (error, response) =>
        error ? reject(fromServiceError(error)) : resolve(response as Response),
      );
    });
  }
}

type IndexCall = ClientDuplexStream<object, IndexDocumentsResponse>;

/** One IndexDocuments call. */
export class IndexClient {
  readonly results: IndexDocumentResult[] = [];
  readonly sources: { source: string; checkpoint: string }[] = [];
  /** How it ended: null for OK. */
  readonly ended: Promise<RuleError | null>;

  constructor(private readonly call: IndexCall) {
    call.on('data', ({ results, source, checkpoint }: IndexDocumentsResponse) => {
      this.results.push(...results);
      if (source !== '') this.sources.push({ source, checkpoint });
    });
    this.ended = new Promise((resolve) => {
      call.on('error', (error: ServiceError) => resolve(fromServiceError(error)));
      call.on('status', ({ code }: { code: number }) => code === 0 && resolve(null));
    });
  }

  send(message: object): void {
    this.call.write(message);
  }

  end(): Promise<RuleError | null> {
    this.call.end();
    return this.ended;
  }

  statusOf(requestRef: string): string | undefined {
    return this.results.find((result) => result.requestRef === requestRef)?.response?.status;
  }

  errorOf(requestRef: string): RuleError | undefined {
    const failure = this.results.find((result) => result.requestRef === requestRef)?.failure;
    return failure ? fromRpcStatus(failure) : undefined;
  }
}
