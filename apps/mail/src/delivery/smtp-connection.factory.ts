import { once } from 'node:events';
import { hostname } from 'node:os';
import type { TLSSocket } from 'node:tls';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { MailConfig } from '../mail.config';
import type { RelayAddress } from './relay-list';

export type RelaySettings = Pick<
  MailConfig,
  'MAIL_RELAY_REQUIRE_TLS' | 'MAIL_RELAY_CA' | 'MAIL_RELAY_TIMEOUT_SECONDS' | 'MAIL_RELAY_EHLO_NAME'
>;

/** The longest that a relay may take for a connection, and for its greeting. */
const WAITS = { connectMs: 10_000, greetingMs: 30_000 };
const MAX_REPLY_BYTES = 65_536;

/** Opens connections to the relay: TLS, STARTTLS and AUTH as the settings have it. */
export class SmtpConnectionFactory {
  /** host:port, as it is told to callers. */
  readonly relay: string;

  constructor(
    private readonly address: RelayAddress,
    private readonly settings: RelaySettings,
    private readonly waits = WAITS,
  ) {
    this.relay = `${this.url.hostname}:${this.port}`;
  }

  /** @throws nodemailer's error, after the connection is closed */
  async open(): Promise<SMTPConnection> {
    const connection = new SMTPConnection({
      host: this.url.hostname.replace(/^\[|\]$/g, ''),
      port: this.port,
      secure: this.url.protocol === 'smtps:',
      requireTLS: (this.settings.MAIL_RELAY_REQUIRE_TLS || this.address.needsTls) && this.url.protocol === 'smtp:',
      name: this.settings.MAIL_RELAY_EHLO_NAME ?? hostname(),
      connectionTimeout: this.waits.connectMs,
      greetingTimeout: this.waits.greetingMs,
      socketTimeout: this.settings.MAIL_RELAY_TIMEOUT_SECONDS * 1000,
      maxResponseSize: MAX_REPLY_BYTES,
      logger: false,
      tls: { minVersion: 'TLSv1.2', ...(this.settings.MAIL_RELAY_CA && { ca: this.settings.MAIL_RELAY_CA }) },
    });
    // A failure reaches whoever waits for an answer; without a listener it would end the process.
    connection.on('error', () => undefined);
    try {
      await answered(connection, (done) => connection.connect(done));
      if (this.url.username !== '') await this.logIn(connection);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  private logIn(connection: SMTPConnection): Promise<void> {
    const user = decodeURIComponent(this.url.username);
    const pass = decodeURIComponent(this.url.password);
    return answered(connection, (done) => connection.login({ user, pass }, done));
  }

  private get url(): URL {
    return this.address.url;
  }

  get port(): number {
    return Number(this.url.port) || (this.url.protocol === 'smtps:' ? 465 : 587);
  }
}

/** Asks the relay something. nodemailer forgets who waits for an answer when the connection ends in the middle. */
export function answered(connection: SMTPConnection, ask: (done: (error?: Error | null) => void) => void): Promise<void> {
  const ended = new AbortController();
  const { signal } = ended;
  return new Promise<void>((resolve, reject) => {
    once(connection, 'end', { signal }).then(() => reject(new Error('the connection ended')), reject);
    ask((error) => (error ? reject(error) : resolve()));
  }).finally(() => ended.abort());
}

/** Such as TLSv1.3; '' for a connection without TLS. */
export function tlsVersionOf({ _socket: socket }: SMTPConnection): string {
  return (socket && (socket as TLSSocket).getProtocol?.()) || '';
}
