import type { Socket } from 'node:net';
import type { SMTPServer, SMTPServerDataStream } from 'smtp-server';
import { type Inbox, MailTooLargeError } from './inbox.store';
import type { MagicRecipient, Reply } from './magic-recipients';

const GARBAGE = 'What a lovely mail!\r\n';

export type MailStream = SMTPServerDataStream & AsyncIterable<Buffer>;
type AtFinalDot = Extract<MagicRecipient, { at: 'final dot' }>;

interface Receiver {
  inbox: Inbox;
  connection: SMTPServer['connections'] extends Set<infer Connection> ? Connection : never;
  latencyMs: number;
  /** Replies, unless the client is gone. */
  callback: (error?: Error | null, message?: string) => void;
}

const ORDINARY = { keeps: true, answer: 'taken', waitSeconds: 0 } as const;

/** Reads the mail to its final dot, keeps it, and replies: 250 only once it stands in the inbox under its name. */
export async function endOfMail(mail: MailStream, magic: AtFinalDot | undefined, receiver: Receiver): Promise<void> {
  const { inbox, connection, latencyMs, callback } = receiver;
  const { keeps, answer, waitSeconds = 0 } = magic ?? ORDINARY;
  try {
    const kept = keeps ? `kept as ${await inbox.receive(mail)}` : await drained(mail);
    if (answer === 'nothing') return void connection._socket.destroy();
    await waited(latencyMs + waitSeconds * 1000, connection._socket);
    if (answer === 'garbage') {
      connection._socket.write(GARBAGE);
      connection.close();
    } else callback(answer === 'taken' ? null : refusal(answer), kept);
  } catch (error) {
    callback(Object.assign(error as Error, { responseCode: error instanceof MailTooLargeError ? 552 : 451 }));
  }
}

/** smtp-server knows one enhanced code for each code, and passes on as it is what has its own already. */
export const refusal = ({ code, text }: Reply): Error => Object.assign(new Error(text), { responseCode: code });

async function drained(mail: MailStream): Promise<''> {
  for await (const _chunk of mail);
  return '';
}

/** For so long, or until the client is gone. */
function waited(ms: number, socket: Socket): Promise<void> {
  if (ms === 0 || socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      socket.off('close', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    socket.once('close', done);
  });
}
