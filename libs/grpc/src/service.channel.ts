import { type Client, type ClientDuplexStream, type ClientReadableStream, type ClientWritableStream, Metadata } from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import { callContext } from './call-context';
import { notOver } from './deadline';
import { addContext, type CallOptions, methodOf, unaryCall } from './grpc-client';
import { exchange, type ReadOptions, responsesOf, sendAll, type StreamOptions } from './grpc-stream.client';
import type { RuleError } from './rule-error';

export interface ServiceChannelSettings {
  timeoutMs: number;
  /** Gives the token that says which service calls; undefined where services have no key. */
  serviceToken: () => Promise<string> | undefined;
}

/** How one service of the contract is called: deadline, tokens, request id and trace; what the client classes share. */
export class ServiceChannel {
  private readonly unary: Client;
  private readonly streams: Client;
  private readonly health: Client;

  /**
   * @param service as in the contract, such as MailService
   * @param streams the channel of the streams: one of their own, where they are so many that unary calls would wait
   */
  constructor(
    private readonly service: string,
    client: ClientGrpc,
    private readonly settings: ServiceChannelSettings,
    streams = client,
  ) {
    this.streams = streams.getClientByServiceName<Client>(service);
    this.unary = client.getClientByServiceName<Client>(service);
    this.health = client.getClientByServiceName<Client>('Health');
  }

  async call<Response>(method: string, request: unknown, options: CallOptions): Promise<Response> {
    const metadata = await this.metadataFor(options);
    const timeoutMs = Math.min(options.timeoutMs ?? Infinity, this.settings.timeoutMs);
    return unaryCall(this.unary, method, request, metadata, timeoutMs);
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
    const request = { service: `sky_genesis.${this.service}` };
    const { status } = await unaryCall<{ status: string }>(this.health, 'check', request, new Metadata(), timeoutMs);
    return status === 'SERVING';
  }

  /** Opens a stream with the request id and the trace of the call at hand now, whenever the stream begins. */
  private opening<Call>(method: string, options: StreamOptions, request: [] | [unknown]): (...callback: unknown[]) => Promise<Call> {
    const context = callContext.getStore();
    return async (...callback) => {
      const metadata = await this.metadataFor(options);
      addContext(metadata, context);
      const deadline = options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs };
      return methodOf<(...args: unknown[]) => Call>(this.streams, method).call(this.streams, ...request, metadata, deadline, ...callback);
    };
  }

  private bounded<Options extends StreamOptions>(method: string, options: Options): Options & { late?: RuleError } {
    const { timeoutMs } = options;
    if (timeoutMs === undefined) return options;
    const { path } = methodOf<{ path: string }>(this.streams, method);
    return { ...options, late: notOver(path, timeoutMs) };
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
