import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import {
  type CallOptions,
  type ChannelOptions,
  type Client,
  credentials,
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServerInterceptor,
  type ServerOptions,
  type ServiceClientConstructor,
  type ServiceDefinition,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import { GrpcServer, type GrpcServerSettings } from './grpc-server';
import type { AppsRole, ByRole } from './interceptor-order';
import { ServiceChannel, type ServiceChannelSettings } from './service.channel';
import type { IsTrusted } from './trusted-proxies';

export const MAIL = 'sky_genesis.MailService';

type Limits = GrpcServerSettings['limits'];

export const LIMITS: Limits = {
  GRPC_MAX_MESSAGE_SIZE: 65_536,
  GRPC_KEEPALIVE_TIME: 600,
  GRPC_TIMEOUT: 30,
  GRPC_COMPRESSION: 'gzip',
  GRPC_COMPRESSION_MIN_BYTES: 1024,
  GRPC_CONNECTION_AGE_SECONDS: 1800,
  DRAIN_NOTICE_SECONDS: 0,
  DRAIN_SECONDS: 0,
};

export interface LoopbackOptions {
  handlers?: UntypedServiceImplementation;
  limits?: Partial<Limits>;
  isTrusted?: IsTrusted;
  interceptors?: ByRole<ServerInterceptor, AppsRole>;
  reflection?: boolean;
  channel?: ChannelOptions;
  onDrain?: () => void;
}

/** A GrpcServer for tests: a free loopback port, the options that Nest would start it with, handlers of the test's own. */
export class Loopback {
  private readonly clients: Client[] = [];

  private constructor(
    readonly grpcServer: GrpcServer,
    readonly server: Server,
    readonly url: string,
    private readonly channel: ChannelOptions,
  ) {}

  static async start({
    handlers = {},
    limits,
    isTrusted = () => true,
    interceptors = {},
    reflection = true,
    channel = {},
    onDrain,
  }: LoopbackOptions): Promise<Loopback> {
    const url = `127.0.0.1:${await freePort()}`;
    const settings = {
      url,
      services: [MAIL],
      reflection,
      limits: { ...LIMITS, ...limits },
      isTrusted,
      interceptors,
      ...(onDrain && { onDrain }),
    };
    const grpcServer = new GrpcServer(settings);
    const { options } = grpcServer.options;
    const server = new Server(options.channelOptions as ServerOptions);
    server.addService(loadPackage()[MAIL] as ServiceDefinition, handlers);
    // In the order of Nest.
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(url, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
    );
    options.onLoadPackageDefinition?.(loadPackage(), server);
    return new Loopback(grpcServer, server, url, { 'grpc.use_local_subchannel_pool': 1, ...channel });
  }

  /** @param url where something before the server listens */
  client(service = MAIL, channel: ChannelOptions = {}, url = this.url): Client {
    let found: unknown = loadPackageDefinition(loadPackage());
    for (const name of service.split('.')) found = (found as Record<string, unknown>)[name];
    const client = new (found as ServiceClientConstructor)(url, credentials.createInsecure(), { ...this.channel, ...channel });
    this.clients.push(client);
    return client;
  }

  /** How many connections it has. */
  get connections(): number {
    const { http2Servers } = this.server as unknown as { http2Servers: ReadonlyMap<unknown, { sessions: ReadonlySet<unknown> }> };
    return [...http2Servers.values()].reduce((total, { sessions }) => total + sessions.size, 0);
  }

  /** The channel of a client class to this server. */
  serviceChannel(settings: Pick<ServiceChannelSettings, 'timeoutMs' | 'serviceToken'>): ServiceChannel {
    const pool = { client: (service: string) => this.client(service) };
    return new ServiceChannel({ service: 'MailService', unary: pool, streams: pool, ...settings });
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.grpcServer.drain();
  }
}

/** Nest does not tell which port gRPC bound, so one is chosen before. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

export interface Answer {
  error: ServiceError | null;
  response: Record<string, unknown> | undefined;
  initialMetadata: Metadata | undefined;
}

/** One unary call, told whole. */
export function ask(
  client: Client,
  method: string,
  request: object,
  metadata = new Metadata(),
  options: CallOptions = {},
): Promise<Answer> {
  const path = `/${MAIL}/${method}`;
  const { requestSerialize, responseDeserialize } = (loadPackage()[MAIL] as ServiceDefinition)[method]!;
  return new Promise((resolve) => {
    let initialMetadata: Metadata | undefined;
    client
      .makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, (error, response) =>
        resolve({ error, response: response as Answer['response'], initialMetadata }),
      )
      .on('metadata', (received: Metadata) => (initialMetadata = received));
  });
}

export function metadataOf(values: Record<string, string>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(values)) metadata.set(name, value);
  return metadata;
}
