import type { Server, ServerInterceptor, ServerOptions } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { type GrpcOptions, Transport } from '@nestjs/microservices';
import { loadPackage } from '@sky-genesis/proto';
import { callContextInterceptor } from './call-context.interceptor';
import type { GrpcSettings } from './grpc.settings';
import { raiseWindows } from './http2-windows';
import { boundTimeouts } from './long-timeouts';
import { ServerHealth } from './server-health';
import type { IsTrusted } from './trusted-proxies';

export interface GrpcServerSettings {
  /** host:port; not port 0, which Nest would not tell. */
  url: string;
  /** Full names, such as sky_genesis.MailService: health is told for each, and for '' (all). */
  services: readonly string[];
  /** Whether the schema is told by grpc.reflection (v1 and v1alpha). */
  reflection: boolean;
  limits: GrpcSettings;
  /** Whether a peer is believed what it says of a call. */
  isTrusted: IsTrusted;
  /** Run in this order, after the call has its context. */
  interceptors: readonly ServerInterceptor[];
  /** Shown the grpc-js server once it is made, for what can only be observed there. */
  observe?: (server: Server) => void;
  /** Called once health tells NOT_SERVING and before running calls are waited for: streams, which have no end of their own, are ended here. */
  onDrain?: () => void;
}

/**
 * One gRPC server of an app: the options Nest starts it with, its health (grpc.health.v1) and its drain.
 * Health stays NOT_SERVING until `setServing(true)`.
 */
export class GrpcServer {
  readonly options: GrpcOptions;
  private readonly url: string;
  private readonly health: ServerHealth;
  private readonly onDrain: () => void;
  private server: Server | undefined;
  private serving = false;
  private draining = false;

  constructor({ url, services, reflection, limits, isTrusted, interceptors, observe, onDrain = () => undefined }: GrpcServerSettings) {
    this.url = url;
    this.onDrain = onDrain;
    this.health = new ServerHealth(['', ...services]);
    const channelOptions: ServerOptions = {
      interceptors: [
        callContextInterceptor({ maxMessageBytes: limits.GRPC_MAX_MESSAGE_SIZE, timeoutMs: limits.GRPC_TIMEOUT * 1000 }, isTrusted),
        ...interceptors,
      ],
      'grpc.max_receive_message_length': limits.GRPC_MAX_MESSAGE_SIZE,
      'grpc.keepalive_time_ms': limits.GRPC_KEEPALIVE_TIME * 1000,
      'grpc.keepalive_timeout_ms': 20_000,
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
        onLoadPackageDefinition: (_definition, server: Server) => {
          this.server = server;
          observe?.(server);
          whenBound(server, () => {
            raiseWindows(server);
            boundTimeouts(server);
          });
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

  /** NOT_SERVING, then no new calls; running ones may end within the grace, then are cut. */
  async drain(graceMs: number): Promise<void> {
    this.setServing(false);
    this.draining = true;
    this.health.endWatches();
    this.onDrain();
    const { server } = this;
    if (!server) return;
    // Not forceShutdown: it cuts the sessions that channelz knows, and channelz is off.
    server.drain(this.url, graceMs);
    await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  }
}

/** Nest binds the server by itself, and does not tell when. */
function whenBound(server: Server, bound: () => void): void {
  const bindAsync = server.bindAsync.bind(server);
  server.bindAsync = (address, credentials, callback) =>
    bindAsync(address, credentials, (error, port) => {
      if (!error) bound();
      callback(error, port);
    });
}
