import { type Client, credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { fromServiceError } from '@sky-genesis/grpc';
import {
  type CancelEmailRequest,
  type CancelEmailResponse,
  type EmailOptions,
  loadPackage,
  type SubmitEmailRequest,
  type SubmitEmailResponse,
  UncertainPolicy,
} from '@sky-genesis/proto';
import { type Answer, type CancelAnswer, type Entrance, TIMEOUT_MS } from './entrance';
import type { NewMail } from './new-mail';
import type { Started } from './started';

type Call<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: { deadline: number },
  done: (error: ServiceError | null, response?: Response) => void,
) => void;

interface MailServiceClient extends Client {
  submitEmail: Call<SubmitEmailRequest, SubmitEmailResponse>;
  cancelEmail: Call<CancelEmailRequest, CancelEmailResponse>;
}

/** MailService on one channel. */
export class GrpcEntrance implements Entrance {
  readonly name: string;
  private readonly client: MailServiceClient;

  /** @param keyIn where an idempotency key goes: the request's field or the call's metadata */
  constructor(
    address: string,
    private readonly token: string,
    private readonly keyIn: 'field' | 'metadata',
    started: Started,
    private readonly timeoutMs = TIMEOUT_MS,
  ) {
    this.name = `gRPC (key in ${keyIn})`;
    const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
      sky_genesis: { MailService: new (address: string, secure: unknown, options: object) => MailServiceClient };
    };
    const options = { 'grpc.enable_channelz': 0, 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1000 };
    this.client = new contract.MailService(address, credentials.createInsecure(), options);
    started.onEnd(() => this.client.close());
  }

  submit(mail: NewMail, idempotencyKey = ''): Promise<Answer> {
    const metadata = this.metadata();
    if (this.keyIn === 'metadata' && idempotencyKey !== '') metadata.set('idempotency-key', idempotencyKey);
    const { on_uncertain: onUncertain, send_at: sendAt, ...plain } = mail;
    const email = { id: '', ...plain, timestamp: '0', attachments: [] };
    const request = {
      email,
      options: optionsWith(onUncertain, sendAt),
      idempotencyKey: this.keyIn === 'field' ? idempotencyKey : '',
      requestRef: '',
    };
    return new Promise((resolve) => {
      this.client.submitEmail(request, metadata, { deadline: Date.now() + this.timeoutMs }, (error, response) => {
        if (error || !response) return resolve({ kind: 'refused', reason: error ? fromServiceError(error).reason : 'no response' });
        resolve({ kind: 'accepted', messageId: response.messageId, replayed: response.replayed });
      });
    });
  }

  /** Never rejects. */
  cancel(messageId: string): Promise<CancelAnswer> {
    return new Promise((resolve) => {
      this.client.cancelEmail({ id: messageId }, this.metadata(), { deadline: Date.now() + this.timeoutMs }, (error, response) => {
        if (error || !response) return resolve({ kind: 'refused', reason: error ? fromServiceError(error).reason : 'no response' });
        resolve({ kind: 'answered', status: response.status });
      });
    });
  }

  private metadata(): Metadata {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${this.token}`);
    return metadata;
  }
}

const POLICIES = { hold: UncertainPolicy.UNCERTAIN_POLICY_HOLD, resend: UncertainPolicy.UNCERTAIN_POLICY_RESEND };

const optionsWith = (onUncertain: NewMail['on_uncertain'], sendAt = 0): EmailOptions => ({
  cc: [],
  bcc: [],
  replyTo: [],
  htmlBody: '',
  headers: {},
  sendAt: String(sendAt),
  metadata: {},
  onUncertain: onUncertain ? POLICIES[onUncertain] : UncertainPolicy.UNCERTAIN_POLICY_UNSPECIFIED,
  expiresAt: '0',
});
