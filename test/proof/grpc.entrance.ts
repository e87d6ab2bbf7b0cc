import { type Client, credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { fromServiceError } from '@sky-genesis/grpc';
import { loadPackage, type SubmitEmailRequest, type SubmitEmailResponse } from '@sky-genesis/proto';
import { type Answer, type Entrance, TIMEOUT_MS } from './entrance';
import type { NewMail } from './new-mail';
import type { Started } from './started';

interface MailServiceClient extends Client {
  submitEmail(
    request: SubmitEmailRequest,
    metadata: Metadata,
    options: { deadline: number },
    done: (error: ServiceError | null, response?: SubmitEmailResponse) => void,
  ): void;
}

/** MailService/SubmitEmail on one channel. */
export class GrpcEntrance implements Entrance {
  readonly name: string;
  private readonly client: MailServiceClient;

  /** @param keyIn where an idempotency key goes: the request's field or the call's metadata */
  constructor(
    address: string,
    private readonly token: string,
    private readonly keyIn: 'field' | 'metadata',
    started: Started,
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
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${this.token}`);
    if (this.keyIn === 'metadata' && idempotencyKey !== '') metadata.set('idempotency-key', idempotencyKey);
    const email = { id: '', ...mail, timestamp: '0', attachments: [] };
    const request = { email, options: undefined, idempotencyKey: this.keyIn === 'field' ? idempotencyKey : '', requestRef: '' };
    return new Promise((resolve) => {
      this.client.submitEmail(request, metadata, { deadline: Date.now() + TIMEOUT_MS }, (error, response) => {
        if (error || !response) return resolve({ kind: 'refused', reason: error ? fromServiceError(error).reason : 'no response' });
        resolve({ kind: 'accepted', messageId: response.messageId, replayed: response.replayed });
      });
    });
  }
}
