import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

/** A bare SMTP client: says what it is told, and gives the reply: what came, if the server has ended the connection. */
export class SmtpSession {
  private received = '';
  private ended = false;

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('utf8').on('data', (text: string) => (this.received += text));
    socket.on('error', () => undefined).on('close', () => (this.ended = true));
  }

  static async open(port: number): Promise<SmtpSession> {
    const session = new SmtpSession(connect(port, '127.0.0.1'));
    await session.reply();
    return session;
  }

  async ask(line: string): Promise<string> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  write(text: string): void {
    this.socket.write(text);
  }

  /** What else is said until the server has ended the connection. */
  async lastWords(): Promise<string> {
    if (!this.ended) await once(this.socket, 'close');
    return this.received;
  }

  end(): void {
    this.socket.destroy();
  }

  private async reply(): Promise<string> {
    await until(() => this.ended || /^\d{3} .*\r\n/m.test(this.received));
    const reply = this.received;
    this.received = '';
    return reply;
  }
}
