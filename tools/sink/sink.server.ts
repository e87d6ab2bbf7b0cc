import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';
import { Inbox, MailTooLargeError } from './inbox.store';
import type { SinkConfig } from './sink.config';

const LOOPBACK = '127.0.0.1';

export interface Sink {
  port: number;
  /** Ends when the running mails are in, or after the library's own bound on waiting. */
  close(): Promise<void>;
}

/** An SMTP server that takes every mail, for every recipient, and keeps it in a folder. */
export async function startSink(config: SinkConfig): Promise<Sink> {
  const inbox = new Inbox(config.SGE_SMTP_SINK_INBOX, config.SGE_SMTP_SINK_MAX_SIZE);
  await inbox.prepare();
  const server = new SMTPServer({
    name: 'sink.localhost',
    size: config.SGE_SMTP_SINK_MAX_SIZE,
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    closeTimeout: 2000,
    socketTimeout: 300_000,
    // 250 only once the mail stands in the inbox under its name.
    onData: (stream, _session, callback) => {
      inbox.receive(stream as SMTPServerDataStream & AsyncIterable<Buffer>).then(
        (name) => callback(null, `kept as ${name}`),
        (error: Error) => callback(Object.assign(error, { responseCode: error instanceof MailTooLargeError ? 552 : 451 })),
      );
    },
  });
  // A client that goes away in the middle is its own affair.
  server.on('error', (error) => console.error(error.message));
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(config.SGE_SMTP_SINK_PORT, LOOPBACK, resolve);
  });
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
