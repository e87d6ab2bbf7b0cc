import { type Client, type ClientDuplexStream, type ClientReadableStream, Metadata } from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import type {
  CancelEmailRequest,
  CancelEmailResponse,
  GetEmailRequest,
  GetEmailResponse,
  ListEmailsRequest,
  ListEmailsResponse,
  ListEventsRequest,
  ListEventsResponse,
  ResolveEmailRequest,
  ResolveEmailResponse,
  SubmitEmailRequest,
  SubmitEmailResponse,
  SubmitEmailsRequest,
  SubmitEmailsResponse,
  WatchEventsRequest,
  WatchEventsResponse,
} from '@sky-genesis/proto';
import { callContext } from './call-context';
import { addContext, type CallOptions, methodOf, unaryCall } from './grpc-client';
import { exchange, responsesOf, type StreamOptions } from './grpc-stream.client';

export interface MailClientSettings {
  timeoutMs: number;
  /** Gives the token that says which service calls; undefined where services have no key. */
  serviceToken: () => Promise<string> | undefined;
}

/** MailService as seen by its callers: the only place where they meet. */
export class MailClient {
  private readonly mail: Client;
  private readonly streams: Client;
  private readonly health: Client;

  /** @param streams the channel of the streams: one of their own, where they are so many that unary calls would wait */
  constructor(
    client: ClientGrpc,
    private readonly settings: MailClientSettings,
    streams = client,
  ) {
    this.streams = streams.getClientByServiceName<Client>('MailService');
    this.mail = client.getClientByServiceName<Client>('MailService');
    this.health = client.getClientByServiceName<Client>('Health');
  }

  submitEmail(request: SubmitEmailRequest, options: CallOptions): Promise<SubmitEmailResponse> {
    return this.call('submitEmail', request, options);
  }

  getEmail(request: GetEmailRequest, options: CallOptions): Promise<GetEmailResponse> {
    return this.call('getEmail', request, options);
  }

  listEmails(request: ListEmailsRequest, options: CallOptions): Promise<ListEmailsResponse> {
    return this.call('listEmails', request, options);
  }

  cancelEmail(request: CancelEmailRequest, options: CallOptions): Promise<CancelEmailResponse> {
    return this.call('cancelEmail', request, options);
  }

  resolveEmail(request: ResolveEmailRequest, options: CallOptions): Promise<ResolveEmailResponse> {
    return this.call('resolveEmail', request, options);
  }

  listEvents(request: ListEventsRequest, options: CallOptions): Promise<ListEventsResponse> {
    return this.call('listEvents', request, options);
  }

  /** Begins with the first `next()`. As `responsesOf`. */
  watchEvents(request: WatchEventsRequest, options: StreamOptions): AsyncGenerator<WatchEventsResponse, void, undefined> {
    const open = this.opening<ClientReadableStream<WatchEventsResponse>>('watchEvents', options, [request]);
    return responsesOf(open, options);
  }

  /** Begins with the first `next()`. As `exchange`. */
  submitEmails(
    requests: AsyncIterable<SubmitEmailsRequest>,
    options: StreamOptions,
  ): AsyncGenerator<SubmitEmailsResponse, void, undefined> {
    const open = this.opening<ClientDuplexStream<SubmitEmailsRequest, SubmitEmailsResponse>>('submitEmails', options, []);
    return exchange(open, requests, options);
  }

  /** Whether MailService says that it is SERVING (grpc.health.v1). */
  async isServing(timeoutMs: number): Promise<boolean> {
    const request = { service: 'sky_genesis.MailService' };
    const { status } = await unaryCall<{ status: string }>(this.health, 'check', request, new Metadata(), timeoutMs);
    return status === 'SERVING';
  }

  private async call<Response>(method: string, request: unknown, options: CallOptions): Promise<Response> {
    const metadata = await this.metadataFor(options);
    const timeoutMs = Math.min(options.timeoutMs ?? Infinity, this.settings.timeoutMs);
    return unaryCall(this.mail, method, request, metadata, timeoutMs);
  }

  /** Opens a stream with the request id and the trace of the call at hand now, whenever the stream begins. */
  private opening<Call>(method: string, options: StreamOptions, request: [] | [unknown]): () => Promise<Call> {
    const context = callContext.getStore();
    return async () => {
      const metadata = await this.metadataFor(options);
      addContext(metadata, context);
      const deadline = options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs };
      return methodOf<(...args: unknown[]) => Call>(this.streams, method).call(this.streams, ...request, metadata, deadline);
    };
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
