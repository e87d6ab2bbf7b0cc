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
import type { CallOptions } from './grpc-client';
import type { StreamOptions } from './grpc-stream.client';
import { ServiceChannel, type ServiceChannelSettings } from './service.channel';

/** MailService as seen by its callers: the only place where they meet. */
export class MailClient {
  private readonly channel: ServiceChannel;

  /** @param streams the channel of the streams: one of their own, where they are so many that unary calls would wait */
  constructor(client: ClientGrpc, settings: ServiceChannelSettings, streams = client) {
    this.channel = new ServiceChannel('MailService', client, settings, streams);
  }

  submitEmail(request: SubmitEmailRequest, options: CallOptions): Promise<SubmitEmailResponse> {
    return this.channel.call('submitEmail', request, options);
  }

  getEmail(request: GetEmailRequest, options: CallOptions): Promise<GetEmailResponse> {
    return this.channel.call('getEmail', request, options);
  }

  listEmails(request: ListEmailsRequest, options: CallOptions): Promise<ListEmailsResponse> {
    return this.channel.call('listEmails', request, options);
  }

  cancelEmail(request: CancelEmailRequest, options: CallOptions): Promise<CancelEmailResponse> {
    return this.channel.call('cancelEmail', request, options);
  }

  resolveEmail(request: ResolveEmailRequest, options: CallOptions): Promise<ResolveEmailResponse> {
    return this.channel.call('resolveEmail', request, options);
  }

  listEvents(request: ListEventsRequest, options: CallOptions): Promise<ListEventsResponse> {
    return this.channel.call('listEvents', request, options);
  }

  /** Begins with the first `next()`. As `responsesOf`. */
  watchEvents(request: WatchEventsRequest, options: StreamOptions): AsyncGenerator<WatchEventsResponse, void, undefined> {
    return this.channel.responses('watchEvents', request, options);
  }

  /** Begins with the first `next()`. As `exchange`. */
  submitEmails(
    requests: AsyncIterable<SubmitEmailsRequest>,
    options: StreamOptions,
  ): AsyncGenerator<SubmitEmailsResponse, void, undefined> {
    return this.channel.exchange('submitEmails', requests, options);
  }

  /** Whether MailService says that it is SERVING (grpc.health.v1). */
  isServing(timeoutMs: number): Promise<boolean> {
    return this.channel.isServing(timeoutMs);
  }
}
