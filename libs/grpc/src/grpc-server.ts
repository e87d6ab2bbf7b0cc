import { setTimeout as delay } from 'node:timers/promises';
import { type Server, ServerCredentials, type ServerInterceptor, type ServerOptions } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { type GrpcOptions, Transport } from '@nestjs/microservices';
import { loadPackage } from '@sky-genesis/proto';
import { callContextInterceptor } from './call-context.interceptor';
import { noteGzipReaders } from './compression/gzip-readers';
import { responseCompression } from './compression/response-compression.interceptor';
import type { GrpcServerLimits } from './grpc-server.settings';
import type { GrpcSettings } from './grpc.settings';
import { raiseWindows } from './http2-windows';
import { type AppsRole, type ByRole, inOrder } from './interceptor-order';
import { boundTimeouts } from './long-timeouts';
import type { Mesh } from './mesh';
import { ServerHealth } from './server-health';
import { type HandshakeFailure, reportHandshakes } from './tls/handshake-failures';
import type { IsTrusted } from './trusted-proxies';

export interface GrpcServerSettings {
  /** host:port; not port 0, which Nest would not tell. */
  url: string;
  /** Full names, such as sky_genesis.MailService: health is told for each, and for '' (all). */
  services: readonly string[];
  /** Whether the schema is told by grpc.reflection (v1 and v1alpha). */
  reflection: boolean;
  limits: GrpcSettings & Pick<GrpcServerLimits, 'GRPC_CONNECTION_AGE_SECONDS' | 'DRAIN_SECONDS' | 'DRAIN_NOTICE_SECONDS'>;
  /** Plaintext, and open to every caller, where left out. */
  mesh?: Pick<Mesh, 'serverCredentials' | 'peerInterceptors' | 'certificates'>;
  /** Told of each TLS handshake that fails. */
  onHandshakeFailure?: (failure: HandshakeFailure) => void;
  /** Whether a peer is believed what it says of a call. */
  isTrusted: IsTrusted;
  /** Run in the order of ROLES, with those that every server has. */
  interceptors: ByRole<ServerInterceptor, AppsRole>;
  /** Shown the grpc-js server once it is made, for what can only be observed there. */
  observe?: (server: Server) => void;
  /** Called once callers had time to go elsewhere: streams, which have no end of their own, are ended here. */
  onDrain?: () => void;
}

/** How others find an instance, such as a lease in etcd. */
export interface Announcement {
  /** Takes it back. Bounded in time, and never throws. */
  revoke(): Promise<void>;
}

/**
 * One gRPC server of an app: the options Nest starts it with, its health (grpc.health.v1) and its drain.
 * Health stays NOT_SERVING until `setServing(true)`.
 */
export class GrpcServer {
  readonly options: GrpcOptions;
  private readonly health: ServerHealth;
  private server: Server | undefined;
  private announcement: Announcement | undefined;
  private serving = false;
  private draining = false;

  constructor(private readonly settings: GrpcServerSettings) {
    const { url, services, reflection, limits, mesh, isTrusted, interceptors, observe } = settings;
    this.health = new ServerHealth(['', ...services]);
    const context = callContextInterceptor(
      { maxMessageBytes: limits.GRPC_MAX_MESSAGE_SIZE, timeoutMs: limits.GRPC_TIMEOUT * 1000 },
      isTrusted,
    );
    const compression = limits.GRPC_COMPRESSION === 'gzip' && responseCompression(limits.GRPC_COMPRESSION_MIN_BYTES);
    const channelOptions: ServerOptions = {
      interceptors: inOrder({
        tracing: context,
        deadline: context,
        ...interceptors,
        authentication: [...(mesh?.peerInterceptors ?? []), ...[interceptors.authentication ?? []].flat()],
        ...(compression && { compression }),
      }),
      'grpc.max_receive_message_length': limits.GRPC_MAX_MESSAGE_SIZE,
      'grpc.keepalive_time_ms': limits.GRPC_KEEPALIVE_TIME * 1000,
      'grpc.keepalive_timeout_ms': 20_000,
      'grpc.max_connection_age_ms': limits.GRPC_CONNECTION_AGE_SECONDS * 1000,
      'grpc.max_concurrent_streams': 1024,
      // Its bookkeeping costs a sixth of the unary rate.
      'grpc.enable_channelz': 0,
    };
    this.options = {
      transport: Transport.GRPC,
      options: {
        url,
        package: 'sky_genesis',
        packageDefinition: loadPackage(),
        maxReceiveMessageLength: limits.GRPC_MAX_MESSAGE_SIZE,
        channelOptions: channelOptions,
        credentials: mesh?.serverCredentials ?? ServerCredentials.createInsecure(),
        onLoadPackageDefinition: (_definition, server: Server) => {
          this.server = server;
          observe?.(server);
          // Nest has bound it by now.
          raiseWindows(server);
          noteGzipReaders(server);
          boundTimeouts(server);
          if (mesh?.certificates) reportHandshakes(server, mesh.certificates, settings.onHandshakeFailure ?? (() => undefined));
          this.health.addToServer(server);
          if (reflection) new ReflectionService(loadPackage()).addToServer(server);
        },
      },
    };
  }

  /** Tells every Check and Watch, once per change. A draining server stays NOT_SERVING. */
  setServing(serving: boolean): void {
    const now = serving && !this.draining;
    if (now === this.serving) return;
    this.serving = now;
    this.health.setServing(now);
  }

  /** Whether `drain` has begun: readiness says no from then on. */
  get isDraining(): boolean {
    return this.draining;
  }

  /** Said of a server that serves; taken back when it drains. Undefined: nobody looks for it. */
  announce(announcement: Announcement | undefined): void {
    this.announcement = announcement;
  }

  /**
   * In this order: NOT_SERVING and not found any more, while everything is served for DRAIN_NOTICE_SECONDS; streams are told
   * to go on elsewhere; no new calls; running ones may end within DRAIN_SECONDS, then are cut.
   */
  async drain(): Promise<void> {
    const { url, limits, onDrain } = this.settings;
    this.setServing(false);
    this.draining = true;
    await Promise.all([this.announcement?.revoke(), delay(limits.DRAIN_NOTICE_SECONDS * 1000)]);
    this.health.endWatches();
    onDrain?.();
    const { server } = this;
    if (!server) return;
    // Not forceShutdown: it cuts the sessions that channelz knows, and channelz is off.
    server.drain(url, limits.DRAIN_SECONDS * 1000);
    await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  }
}
