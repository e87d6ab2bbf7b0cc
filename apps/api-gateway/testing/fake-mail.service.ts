import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import { RuleError } from '@sky-genesis/grpc';
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
import { type Answer, FakeGrpcService } from './fake-grpc.service';

const UNARY = {
  SubmitEmail: 'submitEmail',
  GetEmail: 'getEmail',
  ListEmails: 'listEmails',
  CancelEmail: 'cancelEmail',
  ResolveEmail: 'resolveEmail',
  ListEvents: 'listEvents',
} as const;
export type Watch = ServerWritableStream<WatchEventsRequest, Partial<WatchEventsResponse>>;
export type Submit = ServerDuplexStream<SubmitEmailsRequest, Partial<SubmitEmailsResponse>>;

/** Accepts, and knows of nothing. */
export class FakeMailService extends FakeGrpcService {
  submitEmail: Answer<SubmitEmailRequest, SubmitEmailResponse> = () => ({ messageId: 'msg_1', status: 'queued', timestamp: '1640995200' });
  getEmail: Answer<GetEmailRequest, GetEmailResponse> = () => {
    throw new RuleError('EMAIL_NOT_FOUND');
  };
  listEmails: Answer<ListEmailsRequest, ListEmailsResponse> = () => ({ emails: [] });
  cancelEmail: Answer<CancelEmailRequest, CancelEmailResponse> = () => ({ status: 'canceled' });
  resolveEmail: Answer<ResolveEmailRequest, ResolveEmailResponse> = () => ({ status: 'sent' });
  listEvents: Answer<ListEventsRequest, ListEventsResponse> = () => ({ events: [], cursor: '7', hasMore: false });
  watchEvents: (call: Watch) => void = (call) => call.write({ cursor: '7' });
  /** Accepts all that comes, as it comes. */
  submitEmails: (call: Submit) => void = (call) => {
    call.on('data', ({ requests }: SubmitEmailsRequest) => call.write(acceptedOf(requests)));
    call.on('end', () => call.end());
  };

  constructor() {
    super('MailService');
  }

  protected handlers() {
    return {
      ...Object.fromEntries(Object.entries(UNARY).map(([name, method]) => [name, this.unary(method, () => this[method])])),
      WatchEvents: this.stream('watchEvents', () => this.watchEvents),
      SubmitEmails: this.stream('submitEmails', () => this.submitEmails),
    };
  }
}

/** Each request accepted, by an id that tells its ref. */
export const acceptedOf = (requests: readonly SubmitEmailRequest[]): Partial<SubmitEmailsResponse> => ({
  results: requests.map(({ requestRef }) => ({
    requestRef,
    response: { messageId: `msg_${requestRef}`, status: 'queued', timestamp: '1640995200', replayed: false },
  })),
});
