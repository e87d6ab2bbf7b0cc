import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { RuleError, toStatus } from '@sky-genesis/grpc';
import {
  type CancelEmailRequest,
  type CancelEmailResponse,
  type GetEmailRequest,
  type GetEmailResponse,
  type ListEmailsRequest,
  type ListEmailsResponse,
  type ListEventsRequest,
  type ListEventsResponse,
  loadPackage,
  type ResolveEmailRequest,
  type ResolveEmailResponse,
  type SubmitEmailRequest,
  type SubmitEmailResponse,
  type SubmitEmailsRequest,
  type SubmitEmailsResponse,
  type WatchEventsRequest,
  type WatchEventsResponse,
} from '@sky-genesis/proto';

type Answer<Request, Response> = (request: Request, call: ReceivedCall) => Partial<Response> | Promise<Partial<Response>>;

const UNARY = {
  SubmitEmail: 'submitEmail',
  GetEmail: 'getEmail',
  ListEmails: 'listEmails',
  CancelEmail: 'cancelEmail',
  ResolveEmail: 'resolveEmail',
  ListEvents: 'listEvents',
} as const;
type Unary = (typeof UNARY)[keyof typeof UNARY];

export type Watch = ServerWritableStream<WatchEventsRequest, Partial<WatchEventsResponse>>;
export type Submit = ServerDuplexStream<SubmitEmailsRequest, Partial<SubmitEmailsResponse>>;

export interface ReceivedCall {
  method: string;
  request: unknown;
  metadata: Metadata;
  deadline: Date;
  /** Settles when the client cancels. */
  cancelled: Promise<void>;
}

/** A fake of the mail service, for the gateway's tests: grpc-js on a free port of loopback, answering what a test says. */
export class FakeMailService {
  readonly calls: ReceivedCall[] = [];
  serving = true;
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

  private readonly server = new Server();
  private readonly waiting: (() => void)[] = [];
  address = '';

  async start(): Promise<void> {
    const definition = loadPackage();
    const mail = definition['sky_genesis.MailService'] as ServiceDefinition;
    const handlers: UntypedServiceImplementation = {
      ...Object.fromEntries(Object.entries(UNARY).map(([name, method]) => [name, this.handler(method)])),
      WatchEvents: (call: Watch) => {
        this.receive('watchEvents', call, call.request);
        this.watchEvents(call);
      },
      SubmitEmails: (call: Submit) => {
        this.receive('submitEmails', call, undefined);
        this.submitEmails(call);
      },
    };
    this.server.addService(mail, handlers);
    this.server.addService(definition['grpc.health.v1.Health'] as ServiceDefinition, {
      Check: (_call: unknown, done: (error: null, response: object) => void) =>
        done(null, { status: this.serving ? 'SERVING' : 'NOT_SERVING' }),
    });
    const port = await new Promise<number>((resolve, reject) =>
      this.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
    );
    this.address = `127.0.0.1:${port}`;
  }

  stop(): void {
    this.server.forceShutdown();
  }

  /** The call last received. */
  get last(): ReceivedCall {
    const call = this.calls.at(-1);
    if (!call) throw new Error('no call was received');
    return call;
  }

  /** Settles when the next call is received. */
  nextCall(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private handler(method: Unary) {
    return (call: ServerUnaryCall<unknown, unknown>, done: (error: object | null, response?: unknown) => void) => {
      const received = this.receive(method, call, call.request);
      const answer = this[method] as Answer<unknown, unknown>;
      Promise.resolve()
        .then(() => answer(call.request, received))
        .then((response) => done(null, response))
        .catch((error: unknown) => done(toStatus(error)));
    };
  }

  private receive(method: string, call: ServerUnaryCall<unknown, unknown> | Watch | Submit, request: unknown): ReceivedCall {
    const cancelled = new Promise<void>((resolve) => call.on('cancelled', () => resolve()));
    const received = { method, request, metadata: call.metadata, deadline: new Date(call.getDeadline()), cancelled };
    this.calls.push(received);
    this.waiting.splice(0).forEach((tell) => tell());
    return received;
  }
}

/** Each request accepted, by an id that tells its ref. */
export const acceptedOf = (requests: readonly SubmitEmailRequest[]): Partial<SubmitEmailsResponse> => ({
  results: requests.map(({ requestRef }) => ({
    requestRef,
    response: { messageId: `msg_${requestRef}`, status: 'queued', timestamp: '1640995200', replayed: false },
  })),
});
