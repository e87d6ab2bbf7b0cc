import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { Inbox } from './inbox.store';
import { magicOf, mostDrastic } from './magic-recipients';
import { endOfMail, type MailStream, refusal } from './mail-reply';
import type { SinkConfig } from './sink.config';
import { Tries } from './tries';

const LOOPBACK = '127.0.0.1';
/** Mails of which it is remembered how often they were tried. */
const REMEMBERED = 10_000;

export interface Sink {
  port: number;
  /** Ends when the running mails are in, or after the library's own bound on waiting. */
  close(): Promise<void>;
}

/** An SMTP server that takes every mail and keeps it in a folder, but for what its magic recipients bring about. */
export async function startSink(config: SinkConfig): Promise<Sink> {
  const inbox = new Inbox(config.SGE_SMTP_SINK_INBOX, config.SGE_SMTP_SINK_MAX_SIZE);
  await inbox.prepare();
  const tries = new Tries(REMEMBERED);
  const server = new SMTPServer({
    name: 'sink.localhost',
    size: config.SGE_SMTP_SINK_MAX_SIZE,
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    // By its ENVID a mail is known before its content is there.
    hideDSN: false,
    closeTimeout: 2000,
    socketTimeout: 300_000,
    onRcptTo: ({ address }, session, callback) => {
      const magic = magicOf(address);
      callback(magic?.at === 'RCPT TO' && tries.isDue(magic, mailKey(session, address)) ? refusal(magic.reply) : null);
    },
    onData: (stream, session, callback) => {
      const connection = connectionOf(server, session);
      if (!connection) return;
      const magic = mostDrastic(
        session.envelope.rcptTo.flatMap(({ address }) => {
          const one = magicOf(address);
          return one && one.at !== 'RCPT TO' && tries.isDue(one, mailKey(session, address)) ? one : [];
        }),
      );
      if (magic?.at === 'DATA') connection._socket.destroy();
      else void endOfMail(stream as MailStream, magic, { inbox, connection, latencyMs: config.SGE_SMTP_SINK_LATENCY_MS, callback });
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

/** The same for every try of a mail for a recipient. */
function mailKey({ envelope: { dsn, mailFrom } }: SMTPServerSession, address: string): string {
  return [dsn?.envid ?? '', mailFrom ? mailFrom.address : '', address.toLowerCase()].join(' ');
}

/** The one that this session is on; undefined: it is being closed. */
function connectionOf(server: SMTPServer, session: SMTPServerSession) {
  for (const connection of server.connections) if (connection.session === session) return connection;
  return undefined;
}
