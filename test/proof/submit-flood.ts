import { once } from 'node:events';
import { type ClientDuplexStream, credentials, loadPackageDefinition, Metadata } from '@grpc/grpc-js';
import { loadPackage, type SubmitEmailRequest, type SubmitEmailsRequest, type SubmitEmailsResponse } from '@sky-genesis/proto';
import type { NewMail } from './new-mail';
import type { Started } from './started';

const MAILS_A_MESSAGE = 50;

interface MailServiceClient {
  submitEmails(metadata: Metadata): ClientDuplexStream<SubmitEmailsRequest, SubmitEmailsResponse>;
  close(): void;
}

/** Submits mails as fast as the server takes them, through SubmitEmails. */
export class SubmitFlood {
  readonly acknowledged: string[] = [];
  /** The reasons of those that were not accepted, and the ends of streams that were no ends. */
  readonly refusals: string[] = [];
  private readonly client: MailServiceClient;

  constructor(
    address: string,
    private readonly token: string,
    started: Started,
  ) {
    const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
      sky_genesis: { MailService: new (address: string, secure: unknown, options: object) => MailServiceClient };
    };
    this.client = new contract.MailService(address, credentials.createInsecure(), { 'grpc.enable_channelz': 0 });
    started.onEnd(() => this.client.close());
  }

  /** Resolves when all of them are answered; on so many streams at a time. */
  async submit(count: number, streams: number, mail: (number: number) => NewMail): Promise<void> {
    let next = 0;
    const takeMessage = (): SubmitEmailRequest[] => {
      const numbers = Array.from({ length: Math.min(MAILS_A_MESSAGE, count - next) }, () => next++);
      return numbers.map((number) => requestOf(mail(number), number));
    };
    await Promise.all(Array.from({ length: streams }, () => this.stream(takeMessage)));
  }

  private async stream(takeMessage: () => SubmitEmailRequest[]): Promise<void> {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${this.token}`);
    const call = this.client.submitEmails(metadata);
    call.on('data', ({ results }: SubmitEmailsResponse) => {
      for (const { response, failure } of results) {
        if (response) this.acknowledged.push(response.messageId);
        else this.refusals.push(failure?.message ?? 'neither response nor failure');
      }
    });
    const ended = new Promise<void>((resolve) => {
      call.once('end', resolve);
      call.once('error', (error) => {
        this.refusals.push(error.message);
        resolve();
      });
    });
    for (let requests = takeMessage(); requests.length > 0 && !call.destroyed; requests = takeMessage()) {
      if (!call.write({ requests })) await Promise.race([once(call, 'drain'), ended]);
    }
    call.end();
    await ended;
  }
}

const requestOf = (mail: NewMail, number: number): SubmitEmailRequest => ({
  email: { id: '', from: mail.from, to: mail.to, subject: mail.subject, body: mail.body, timestamp: '0', attachments: [] },
  options: undefined,
  idempotencyKey: '',
  requestRef: String(number),
});
