import { type Client, type ClientDuplexStream, type ClientReadableStream, type ClientWritableStream, Metadata } from '@grpc/grpc-js';
import { callContext } from './call-context';
import type { ChannelPool } from './channel.pool';
import { notOver } from './deadline';
import { addContext, type CallOptions, type Explain, methodOf, unaryCall } from './grpc-client';
import { type BoundedOptions, exchange, type ReadOptions, responsesOf, sendAll, type StreamOptions } from './grpc-stream.client';

export interface ServiceChannelSettings {
  /** As in the contract, such as MailService. */
  service: string;
  unary: Pick<ChannelPool, 'client'>;
  /** Of their own: they may be so many that unary calls would wait behind them. */
  streams: Pick<ChannelPool, 'client'>;
  /** The longest that a unary call may take. */
  timeoutMs: number;
  /** Gives the token that says which service calls; undefined where services have no key. */
  serviceToken: () => Promise<string> | undefined;
  /** Left out: as the service threw it. */
  explain?: Explain;
}

/** How one service of the contract is called: deadline, tokens, request id and trace; what the client classes share. */
export class ServiceChannel {
  private readonly name: string;

  constructor(private readonly settings: ServiceChannelSettings) {
    this.name = `sky_genesis.${settings.service}`;
  }

  async call<Response>(method: string, request: unknown, options: CallOptions): Promise<Response> {
    const metadata = await this.metadataFor(options);
    const timeoutMs = Math.min(options.timeoutMs ?? Infinity, this.settings.timeoutMs);
    return unaryCall(this.settings.unary.client(this.name), method, request, metadata, timeoutMs, this.settings.explain);
  }

  /** Begins with the first `next()`. As `responsesOf`. */
  responses<Response>(method: string, request: unknown, options: ReadOptions): AsyncGenerator<Response, void, undefined> {
    return responsesOf(this.opening<ClientReadableStream<Response>>(method, options, [request]), this.bounded(method, options));
  }

  /** Begins with the first `next()`. As `exchange`. */
  exchange<Request, Response>(
    method: string,
    requests: AsyncIterable<Request>,
    options: StreamOptions,
  ): AsyncGenerator<Response, void, undefined> {
    return exchange(this.opening<ClientDuplexStream<Request, Response>>(method, options, []), requests, this.bounded(method, options));
  }

  /** As `sendAll`. */
  send<Request, Response>(method: string, requests: AsyncIterable<Request>, options: StreamOptions): Promise<Response> {
    return sendAll(this.opening<ClientWritableStream<Request>>(method, options, []), requests, this.bounded(method, options));
  }

  /** Whether the service says that it is SERVING (grpc.health.v1). */
  async isServing(timeoutMs: number): Promise<boolean> {
    const health: Client = this.settings.unary.client('grpc.health.v1.Health');
    const { status } = await unaryCall<{ status: string }>(
      health,
      'check',
      { service: this.name },
      new Metadata(),
      timeoutMs,
      this.settings.explain,
    );
    return status === 'SERVING';
  }

  /** Opens a stream with the request id and the trace of the call at hand now, whenever the stream begins. */
  private opening<Call>(method: string, options: StreamOptions, request: [] | [unknown]): (...callback: unknown[]) => Promise<Call> {
    const context = callContext.getStore();
    return async (...callback) => {
      const metadata = await this.metadataFor(options);
      addContext(metadata, context);
      const deadline = options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs };
      const client = this.settings.streams.client(this.name);
      return methodOf<(...args: unknown[]) => Call>(client, method).call(client, ...request, metadata, deadline, ...callback);
    };
  }

  private bounded<Options extends StreamOptions>(method: string, options: Options): Options & BoundedOptions {
    const { explain } = this.settings;
    const { timeoutMs } = options;
    const path = `/${this.name}/${method[0]!.toUpperCase()}${method.slice(1)}`;
    return { ...options, ...(explain && { explain }), ...(timeoutMs !== undefined && { late: notOver(path, timeoutMs) }) };
  }

  private async metadataFor(options: CallOptions): Promise<Metadata> {
    const metadata = new Metadata();
    if (options.authorization) metadata.set('authorization', options.authorization);
    if (options.idempotencyKey) metadata.set('idempotency-key', options.idempotencyKey);
    const serviceToken = await this.settings.serviceToken();
    if (serviceToken) metadata.set(SERVICE_AUTHORIZATION, `Bearer ${serviceToken}`);
    return metadata;
  }
}

/** Which of the product's own services calls, beside `authorization`, which says on whose behalf. */
export const SERVICE_AUTHORIZATION = 'x-service-authorization';
