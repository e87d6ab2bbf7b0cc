import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { answered, type SmtpConnectionFactory } from './smtp-connection.factory';

const IDLE_MS = 20_000;

/** Keeps connections open between mails. How many there are is bounded by how many mails are under way at once. */
export class SmtpConnectionPool {
  private readonly idle: { connection: SMTPConnection; timer: NodeJS.Timeout }[] = [];

  constructor(private readonly factory: SmtpConnectionFactory) {}

  get relay(): string {
    return this.factory.relay;
  }

  /** A kept connection, or undefined when there is none that lives. */
  takeIdle(): SMTPConnection | undefined {
    for (let kept = this.idle.pop(); kept; kept = this.idle.pop()) {
      clearTimeout(kept.timer);
      if (isAlive(kept.connection)) return kept.connection;
      kept.connection.close();
    }
    return undefined;
  }

  open(): Promise<SMTPConnection> {
    return this.factory.open();
  }

  /** Takes a connection back after a mail; RSET (RFC 5321, 4.1.1.5) clears what a refused one left. */
  async giveBack(connection: SMTPConnection, needsReset: boolean): Promise<void> {
    if (!isAlive(connection) || (needsReset && !(await reset(connection)))) {
      connection.close();
      return;
    }
    const kept = {
      connection,
      timer: setTimeout(() => {
        this.idle.splice(this.idle.indexOf(kept), 1);
        connection.quit();
      }, IDLE_MS),
    };
    this.idle.push(kept);
  }

  close(): void {
    for (const { connection, timer } of this.idle.splice(0)) {
      clearTimeout(timer);
      connection.quit();
    }
  }
}

const isAlive = ({ _socket: socket, destroyed }: SMTPConnection): boolean => !destroyed && !!socket && socket.writable;

const reset = (connection: SMTPConnection): Promise<boolean> =>
  answered(connection, (done) => connection.reset(done)).then(
    () => true,
    () => false,
  );
