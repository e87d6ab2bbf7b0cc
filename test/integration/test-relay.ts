import { type AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface ReceivedMail {
  messageId: string;
  from: string;
  to: string[];
  raw: Buffer;
}

/** A relay over a real socket, which keeps what it took; what it refuses is set by smtp-server's own options. */
export class TestRelay {
  readonly mails: ReceivedMail[] = [];
  private server: SMTPServer | undefined;

  constructor(
    readonly port: number,
    private readonly options: SMTPServerOptions = {},
  ) {}

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  async start(options: SMTPServerOptions = this.options): Promise<void> {
    this.server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      closeTimeout: 1,
      onData: (stream, session, callback) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const raw = Buffer.concat(chunks);
          const messageId = /^message-id: <([^@>]*)/im.exec(raw.toString('latin1'))?.[1] ?? '';
          const { mailFrom, rcptTo } = session.envelope;
          this.mails.push({ messageId, from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address), raw });
          callback();
        });
      },
      ...options,
    });
    this.server.on('error', () => undefined);
    const { server } = this;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', () => resolve()));
    if ((server.server.address() as AddressInfo).port !== this.port) throw new Error('the relay listens elsewhere');
  }

  async stop(): Promise<void> {
    const { server } = this;
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
    this.server = undefined;
  }

  received(messageId: string): ReceivedMail[] {
    return this.mails.filter((mail) => mail.messageId === messageId);
  }

  parsed(messageId: string): Promise<ParsedMail> {
    const [mail] = this.received(messageId);
    if (!mail) throw new Error(`the relay has no ${messageId}`);
    return simpleParser(mail.raw);
  }
}
