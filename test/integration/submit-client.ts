import { type ClientDuplexStream, credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { fromRpcStatus, fromServiceError, type RuleError } from '@sky-genesis/grpc';
import { loadPackage, type SubmitEmailResult, type SubmitEmailsResponse } from '@sky-genesis/proto';
import { token } from './test-system';

type Call = ClientDuplexStream<object, SubmitEmailsResponse>;
type MailServiceClass = new (
  address: string,
  secure: unknown,
  options: object,
) => { submitEmails(metadata: Metadata): Call; close(): void };

export const email = (number: number | string, body = 'b') => ({ to: [`r${number}@example.com`], subject: `mail ${number}`, body });
export const request = (number: number | string, over: object = {}) => ({
  email: email(number),
  idempotencyKey: `key-${number}`,
  requestRef: `ref-${number}`,
  ...over,
});
export const requests = (from: number, count: number) => Array.from({ length: count }, (_, i) => request(from + i));

/** One SubmitEmails call on a connection of its own. */
export class SubmitClient {
  readonly results: SubmitEmailResult[] = [];
  /** Messages that the answers came in. */
  responses = 0;
  /** How it ended: null for OK. */
  readonly ended: Promise<RuleError | null>;
  private readonly call: Call;

  constructor(grpcUrl: string, given: { token?: string; metadata?: Record<string, string> } = {}) {
    const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
      sky_genesis: { MailService: MailServiceClass };
    };
    const client = new contract.MailService(grpcUrl, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${given.token ?? token()}`);
    for (const [name, value] of Object.entries(given.metadata ?? {})) metadata.set(name, value);
    this.call = client.submitEmails(metadata);
    this.call.on('data', ({ results }: SubmitEmailsResponse) => {
      this.responses++;
      this.results.push(...results);
    });
    this.ended = new Promise<RuleError | null>((resolve) => {
      this.call.on('error', (error: ServiceError) => resolve(fromServiceError(error)));
      this.call.on('status', ({ code }: { code: number }) => code === 0 && resolve(null));
    }).finally(() => client.close());
  }

  /** Resolves once the message has left, which HTTP/2 holds back until the server reads, or the call has ended. */
  send(requests: readonly object[]): Promise<unknown> {
    return Promise.race([new Promise<void>((resolve) => this.call.write({ requests }, () => resolve())), this.ended]);
  }

  /** Takes no answers until `resume`. */
  pause(): void {
    this.call.pause();
  }

  resume(): void {
    this.call.resume();
  }

  cancel(): void {
    this.call.cancel();
  }

  /** Ends this side. */
  end(): Promise<RuleError | null> {
    this.call.end();
    return this.ended;
  }

  of(requestRef: string): SubmitEmailResult[] {
    return this.results.filter((result) => result.requestRef === requestRef);
  }

  errorOf(requestRef: string): RuleError | undefined {
    const failure = this.of(requestRef)[0]?.failure;
    return failure ? fromRpcStatus(failure) : undefined;
  }
}
