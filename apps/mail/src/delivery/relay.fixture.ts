import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What a scripted relay does in place of an answer. */
export const HANG_UP = Symbol('hang up');
export const SAY_NOTHING = Symbol('say nothing');
export type Answer = string | typeof HANG_UP | typeof SAY_NOTHING;

export interface Script {
  greeting?: Answer;
  /** What EHLO offers. */
  offers?: readonly string[];
  /** The answer to a command (`.`: the end of a mail) on the nth connection; undefined: the usual one. */
  answer?: (command: string, connection: number) => Answer | undefined;
  /** Hangs up, with the client's bytes unread, once so many of a mail are in. */
  hangUpAfterBytes?: number;
}

/** A relay that says what a test tells it to, line by line: what a library's server would be too well behaved for. */
export class ScriptedRelay {
  /** Every line that came in outside of mails. */
  readonly commands: string[] = [];
  readonly mails: Buffer[] = [];
  connections = 0;
  /** Bytes of a mail or command that has not ended yet. */
  pending = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly script: Script,
  ) {}

  static async start(script: Script = {}): Promise<ScriptedRelay> {
    const server = createServer();
    const relay = new ScriptedRelay(server, script);
    server.on('connection', (socket) => relay.converse(socket));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return relay;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get open(): number {
    return this.sockets.size;
  }

  /** Ends every connection, as a relay does that is tired of waiting. */
  async hangUp(parting = ''): Promise<void> {
    const closed = Array.from(this.sockets, (socket) => once(socket, 'close'));
    for (const socket of this.sockets) socket.end(parting);
    await Promise.all(closed);
  }

  /** Says a line on every connection, unasked. */
  say(line: string): void {
    for (const socket of this.sockets) socket.write(`${line}\r\n`);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    if (this.server.listening) await once(this.server, 'close');
  }

  private converse(socket: Socket): void {
    const connection = ++this.connections;
    let received = Buffer.alloc(0);
    let inMail = false;
    this.sockets.add(socket);
    socket
      .setNoDelay()
      .on('close', () => this.sockets.delete(socket))
      .on('error', () => undefined);
    const give = (answer: Answer) => {
      if (answer === HANG_UP) socket.destroySoon();
      else if (answer !== SAY_NOTHING) socket.write(`${answer}\r\n`);
    };
    give(this.script.greeting ?? '220 relay.example ESMTP');
    socket.on('data', (bytes: Buffer) => {
      let from = Math.max(received.length - 4, 0);
      received = Buffer.concat([received, bytes]);
      for (;;) {
        if (inMail && received.length >= (this.script.hangUpAfterBytes ?? Infinity)) return give(HANG_UP);
        const end = inMail ? '\r\n.\r\n' : '\r\n';
        // An empty mail is its dot alone.
        const at = inMail && received.subarray(0, 3).equals(Buffer.from('.\r\n')) ? -2 : received.indexOf(end, from);
        this.pending = received.length;
        if (at === -1) return;
        const part = received.subarray(0, Math.max(at, 0));
        received = received.subarray(at + end.length);
        from = 0;
        if (inMail) this.mails.push(part);
        else this.commands.push(part.toString());
        const command = inMail ? '.' : part.toString();
        const answer = this.script.answer?.(command, connection) ?? this.usual(command);
        inMail = command === 'DATA' && typeof answer === 'string' && answer.startsWith('354');
        give(answer);
        if (command === 'QUIT') socket.end();
      }
    });
  }

  private usual(command: string): string {
    if (command.startsWith('EHLO')) return ['relay.example', ...(this.script.offers ?? [])].map(ehloLine).join('\r\n');
    if (command === 'DATA') return '354 go on';
    if (command === '.') return '250 2.0.0 queued as 42';
    return command === 'QUIT' ? '221 2.0.0 bye' : '250 2.0.0 ok';
  }
}

const ehloLine = (text: string, index: number, all: readonly string[]): string => `250${index === all.length - 1 ? ' ' : '-'}${text}`;
