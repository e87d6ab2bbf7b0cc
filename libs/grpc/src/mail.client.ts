import { randomUUID } from 'node:crypto';
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
import type { ServiceChannel } from './service.channel';
import { submitted } from './submit-retries';

/** MailService as seen by its callers: the only place where they meet. */
export class MailClient {
  constructor(private readonly channel: ServiceChannel) {}

  /** With a key of its own where the caller has none, so that it may be tried again. */
  submitEmail(request: SubmitEmailRequest, options: CallOptions): Promise<SubmitEmailResponse> {
    const idempotencyKey = request.idempotencyKey || options.idempotencyKey || randomUUID();
    return submitted(() => this.channel.call('submitEmail', { ...request, idempotencyKey }, options));
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
