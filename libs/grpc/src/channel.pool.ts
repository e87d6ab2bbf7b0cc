import {
  Channel,
  type ChannelCredentials,
  type Client,
  type Interceptor,
  loadPackageDefinition,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import { compressedChannel, requestCompression } from './compression/request-compression.interceptor';
import type { GrpcSettings } from './grpc.settings';
import { inOrder } from './interceptor-order';
import { serviceConfigOf } from './service-config';

export interface ChannelPoolSettings {
  /** Of the contract, such as MailService: what is retried, and how it is balanced, goes by it. */
  service: string;
  /** As grpc-js takes it: host:port, or a scheme that has a resolver. */
  target: string;
  credentials: ChannelCredentials;
  limits: GrpcSettings;
  /** Connections to each address, 1 or more. */
  size: number;
  /** As `serviceConfigOf` takes it. */
  hedgeSearchMs?: number;
  /**
   * What the other side may send of one stream before it is read; 65,535 bytes where left out. It is also the memory of a
   * stream whose reader is slow: Node gives the window of the whole connection back as bytes arrive.
   */
  windowBytes?: number | undefined;
}

/** The channels of one app to one service, used in turn: each has a connection of its own to every address. None connects before it is used. */
export class ChannelPool {
  private readonly channels: readonly Channel[];
  private readonly clients = new Map<string, readonly Client[]>();
  private turn = 0;

  constructor(private readonly settings: ChannelPoolSettings) {
    const { target, credentials, size } = settings;
    this.channels = Array.from({ length: size }, () => new Channel(target, credentials, optionsOf(settings)));
  }

  /** A client of a service, by its full name, on the channel whose turn it is. */
  client(service: string): Client {
    const clients = this.clients.get(service) ?? this.clientsOf(service);
    return clients[this.turn++ % clients.length]!;
  }

  /** Calls that are under way are cancelled. */
  close(): void {
    for (const channel of this.channels) channel.close();
  }

  private clientsOf(service: string): readonly Client[] {
    const { target, credentials, limits } = this.settings;
    const interceptors = interceptorsOf(limits);
    const ServiceClient = clientOf(service);
    const clients = this.channels.map((channel) => new ServiceClient(target, credentials, { channelOverride: channel, interceptors }));
    this.clients.set(service, clients);
    return clients;
  }
}

const optionsOf = ({ service, limits, hedgeSearchMs = 0, windowBytes }: ChannelPoolSettings) => ({
  'grpc.max_receive_message_length': limits.GRPC_MAX_MESSAGE_SIZE,
  'grpc.max_send_message_length': limits.GRPC_MAX_MESSAGE_SIZE,
  'grpc.keepalive_time_ms': limits.GRPC_KEEPALIVE_TIME * 1000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2000,
  'grpc.service_config': JSON.stringify(serviceConfigOf(service, hedgeSearchMs)),
  'grpc.service_config_disable_resolution': 1,
  // With a proxy in the environment, grpc-js would have it find the name of a service.
  'grpc.enable_http_proxy': 0,
  'grpc.enable_channelz': 0,
  'grpc.use_local_subchannel_pool': 1,
  ...(limits.GRPC_COMPRESSION === 'gzip' && compressedChannel),
  ...(windowBytes !== undefined && { 'grpc-node.flow_control_window': windowBytes }),
});

const interceptorsOf = ({ GRPC_COMPRESSION, GRPC_COMPRESSION_MIN_BYTES }: GrpcSettings): Interceptor[] =>
  inOrder(GRPC_COMPRESSION === 'gzip' ? { compression: requestCompression(GRPC_COMPRESSION_MIN_BYTES) } : {});

let contract: ReturnType<typeof loadPackageDefinition> | undefined;

function clientOf(service: string): ServiceClientConstructor {
  let found: unknown = (contract ??= loadPackageDefinition(loadPackage()));
  for (const name of service.split('.')) found = (found as Record<string, unknown> | undefined)?.[name];
  if (!found) throw new Error(`the contract has no service ${service}`);
  return found as ServiceClientConstructor;
}
