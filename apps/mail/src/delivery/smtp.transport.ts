import type { Socket } from 'node:net';
import type { SMTPConnectionSendInfo, SMTPEnvelope } from 'nodemailer/lib/smtp-connection';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { resultOf } from './decide-outcome';
import { type Handover, isAcceptance, isRefusal, parseReply, type RecipientHandover } from './handover';
import { messageSource } from './message-source';
import { ContentUnavailableError, type OutgoingMessage } from './outgoing-message';
import { OwnTime } from './own-time';
import { tlsVersionOf } from './smtp-connection.factory';
import type { SmtpConnectionPool } from './smtp-connection.pool';

export interface Envelope {
  /** RFC 3461: comes back in a DSN as Original-Envelope-Id. */
  envid: string;
  from: string;
  to: readonly string[];
}

/** Told who will have the mail, and from which relay, once the final dot has left; when it rejects, the dot never leaves. */
export type BeforeDot = (relay: string, reached: readonly string[]) => Promise<void>;

/** What nodemailer tells of a failure. */
interface SendError extends Error {
  code?: string;
  command?: string;
  response?: string;
  responseCode?: number;
  rejectedErrors?: SendError[];
  recipient?: string;
}

/** The commands whose refusal is about the mail; any other is about the connection or the relay's set-up. */
const ABOUT_THE_MAIL = new Set(['MAIL FROM', 'RCPT TO', 'DATA']);

/** Hands mails to an SMTP relay, and says what it knows of the outcome: never more, never less. */
export class SmtpTransport {
  constructor(private readonly pool: SmtpConnectionPool) {}

  async send(envelope: Envelope, message: OutgoingMessage, beforeDot: BeforeDot): Promise<Handover> {
    const kept = this.pool.takeIdle();
    if (kept) {
      const handover = await this.sendOn(kept, envelope, message, beforeDot);
      // The relay closed a connection that it had kept: nothing was handed over, a new one may serve.
      if (handover.outcome !== 'connection_failed') return handover;
    }
    let opened: SMTPConnection;
    try {
      opened = await this.pool.open();
    } catch (error) {
      return { ...this.failed(envelope, error as SendError, 'connection_failed', ''), conversationMs: undefined };
    }
    return this.sendOn(opened, envelope, message, beforeDot);
  }

  close(): void {
    this.pool.close();
  }

  private async sendOn(connection: SMTPConnection, envelope: Envelope, message: OutgoingMessage, beforeDot: BeforeDot): Promise<Handover> {
    const began = performance.now();
    const own = new OwnTime();
    const marking: BeforeDot = (...reached) => own.of(() => beforeDot(...reached));
    const handover = await this.converse(connection, envelope, { ...message, parts: () => own.between(message.parts()) }, marking);
    return { ...handover, conversationMs: performance.now() - began - own.ms };
  }

  private async converse(
    connection: SMTPConnection,
    envelope: Envelope,
    message: OutgoingMessage,
    beforeDot: BeforeDot,
  ): Promise<Handover> {
    const { envid, from, to } = envelope;
    const tlsVersion = tlsVersionOf(connection);
    const unsupported = unsupportedBy(connection, envelope, message);
    if (unsupported) {
      await this.pool.giveBack(connection, false);
      const recipients = to.map((): RecipientHandover => ({ result: 'unsupported', reply: undefined, reason: unsupported }));
      return { outcome: 'refused', relay: this.pool.relay, conversationMs: 0, reply: undefined, tlsVersion, recipients };
    }
    // Once the final dot may be on its way, no reply means no knowledge.
    let dotOnItsWay = false;
    const mark = () => {
      const refused = refusals(rejectedIn(connection));
      return beforeDot(
        this.pool.relay,
        to.filter((address) => !refused.has(address)),
      );
    };
    const source = messageSource(message.parts(), connection._socket as Socket, mark, () => (dotOnItsWay = true));
    const smtp: SMTPEnvelope = { from, to: [...to], size: message.size, use8BitMime: true, dsn: { envid, ret: 'HDRS' } };
    try {
      const info = await new Promise<SMTPConnectionSendInfo>((resolve, reject) =>
        connection.send(smtp, source, (error, sent) => (error ? reject(error) : resolve(sent as SMTPConnectionSendInfo))),
      );
      // nodemailer takes anything for an acceptance that begins with a 2, also before there is something to accept.
      if (!dotOnItsWay || !isAcceptance(parseReply(info.response))) {
        connection.close();
        return this.failed(envelope, { name: '', message: info.response }, dotOnItsWay ? 'uncertain' : 'connection_failed', tlsVersion);
      }
      await this.pool.giveBack(connection, false);
      return this.taken(envelope, info, tlsVersion);
    } catch (error) {
      if (error instanceof ContentUnavailableError) return this.withoutContent(connection, envelope, tlsVersion);
      const gone = dotOnItsWay ? 'all' : source.readableDidRead ? 'some' : 'none';
      return await this.notTaken(connection, envelope, error as SendError, gone, tlsVersion);
    } finally {
      // One that was not read to its end would hold its file open.
      source.destroy();
    }
  }

  private taken({ to }: Envelope, info: SMTPConnectionSendInfo, tlsVersion: string): Handover {
    const reply = parseReply(info.response);
    const refused = refusals(info.rejectedErrors);
    const recipients = to.map((address) => refused.get(address) ?? { result: 'accepted' as const, reply, reason: '' });
    return { outcome: 'accepted', relay: this.pool.relay, conversationMs: 0, reply, tlsVersion, recipients };
  }

  /** A mail that ends without its dot was not taken (RFC 5321, 4.1.1.4); the relay is not to blame. */
  private withoutContent(connection: SMTPConnection, { to }: Envelope, tlsVersion: string): Handover {
    connection.close();
    const refused = refusals(rejectedIn(connection));
    const recipients = to.map((address): RecipientHandover => {
      return refused.get(address) ?? { result: 'deferred', reply: undefined, reason: 'CONTENT_UNAVAILABLE' };
    });
    return { outcome: 'deferred', relay: this.pool.relay, conversationMs: 0, reply: undefined, tlsVersion, recipients };
  }

  /** @param gone how much of the message; all: the final dot too, or it may have */
  private async notTaken(
    connection: SMTPConnection,
    envelope: Envelope,
    error: SendError,
    gone: 'none' | 'some' | 'all',
    tlsVersion: string,
  ): Promise<Handover> {
    // nodemailer does not pass on who was refused by RCPT when DATA is refused after it. Once the sender is refused,
    // what a pipelining relay says to the commands after it (503) follows from that.
    const told = error.rejectedErrors ?? rejectedIn(connection);
    const refused = refusals(error.command === 'MAIL FROM' ? [] : told);
    const reply = parseReply(error.response ?? error.message);
    const decided = error.response !== undefined && ABOUT_THE_MAIL.has(error.command ?? '') && isRefusal(reply);
    if (!decided || reply.code === 421) {
      connection.close();
      const handover = this.failed(envelope, error, gone === 'all' && !decided ? 'uncertain' : 'connection_failed', tlsVersion);
      return { ...handover, recipients: handover.recipients.map((recipient, i) => refused.get(envelope.to[i] ?? '') ?? recipient) };
    }
    // Refused in its middle: what the relay would take for the next command may be the rest of it.
    if (gone === 'some') connection.close();
    else await this.pool.giveBack(connection, true);
    const recipients = envelope.to.map((address) => refused.get(address) ?? { result: resultOf(reply), reply, reason: '' });
    return { outcome: resultOf(reply), relay: this.pool.relay, conversationMs: 0, reply, tlsVersion, recipients };
  }

  private failed({ to }: Envelope, error: SendError, outcome: 'uncertain' | 'connection_failed', tlsVersion: string): Handover {
    const reply = parseReply(error.response ?? error.message);
    const result = outcome === 'uncertain' ? 'uncertain' : 'unreached';
    return {
      outcome,
      relay: this.pool.relay,
      conversationMs: 0,
      reply,
      tlsVersion,
      recipients: to.map(() => ({ result, reply, reason: '' })),
    };
  }
}

/** Who was refused by RCPT, so far. */
const rejectedIn = (connection: SMTPConnection): SendError[] | undefined =>
  (connection as { _envelope?: { rejectedErrors?: SendError[] } })._envelope?.rejectedErrors;

function refusals(errors: readonly SendError[] | undefined): Map<string, RecipientHandover> {
  return new Map(
    (errors ?? []).map((error) => {
      const reply = parseReply(error.response ?? error.message);
      return [error.recipient ?? '', { result: resultOf(reply), reply, reason: '' }];
    }),
  );
}

/** What this relay cannot do for this mail, in a stable word: trying again would not help. */
function unsupportedBy(connection: SMTPConnection, { from, to }: Envelope, message: OutgoingMessage): string {
  const { _supportedExtensions: extensions = [], _maxAllowedSize: maxSize = 0 } = connection as unknown as {
    _supportedExtensions?: string[];
    _maxAllowedSize?: number | false;
  };
  // An address in the header needs it as one in the envelope does: a Reply-To, or a recipient reached before.
  const said = [...[from, ...to].map((address) => Buffer.from(address)), message.header];
  if (!extensions.includes('SMTPUTF8') && said.some((bytes) => bytes.some((byte) => byte > 0x7f))) return 'SMTPUTF8_UNSUPPORTED';
  return maxSize && message.size > maxSize ? 'RELAY_SIZE_EXCEEDED' : '';
}
