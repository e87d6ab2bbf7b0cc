import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Started } from './started';

/** Where the connection of a mail is cut, the first time that it comes. */
export const CUTS = ['after the dot', 'in place of 354', 'within the message', 'before the dot'] as const;
export type Cut = (typeof CUTS)[number];

/** What became of the mail to one recipient, at this end of the wire. */
export interface SeenMail {
  /** Final dots that were read. */
  dots: number;
  cuts: number;
  /** Dots that were answered with 250. */
  taken: number;
  /** The dot was there before the connection could be cut without it: answered with 451, to be cut at the next try. */
  late: number;
  /** Dots that came after the connection was cut without them: they crossed on the wire, and the sender is rightly in doubt. */
  crossed: number;
  /** Dots that were read before it was committed that they may be on their way. */
  unmarked: number;
}

interface CutsOptions {
  cutOf(recipient: string): Cut;
  /** Whether it is committed that the dot of the mail with this ENVID may be on its way. */
  isMarked(envid: string): Promise<boolean>;
}

const NOTHING_SEEN: Readonly<SeenMail> = { dots: 0, cuts: 0, taken: 0, late: 0, crossed: 0, unmarked: 0 };
const EHLO = [
  '250-cutting.relay',
  '250-PIPELINING',
  '250-8BITMIME',
  '250-SMTPUTF8',
  '250-ENHANCEDSTATUSCODES',
  '250-DSN',
  '250 SIZE 10485760',
];
const END = Buffer.from('\r\n.\r\n');

/** A relay that reads bytes and not lines, so that it cuts a connection where it says. Mails have one recipient each. */
export class CuttingRelay {
  private readonly mails = new Map<string, SeenMail>();
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly options: CutsOptions,
  ) {
    server.on('connection', (socket) => this.serve(socket));
  }

  static async start(options: CutsOptions, started: Started): Promise<CuttingRelay> {
    const relay = new CuttingRelay(createServer({ noDelay: true, allowHalfOpen: true }), options);
    await new Promise<void>((resolve, reject) => relay.server.once('error', reject).listen(0, '127.0.0.1', resolve));
    started.onEnd(() => relay.end());
    return relay;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  seen(recipient: string): Readonly<SeenMail> {
    return this.mails.get(recipient) ?? NOTHING_SEEN;
  }

  /** Of all mails. */
  total(what: keyof SeenMail): number {
    return [...this.mails.values()].reduce((sum, mail) => sum + mail[what], 0);
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    const conversation = new Conversation(socket, (recipient) => this.mail(recipient), this.options);
    socket.on('data', (chunk: Buffer) => conversation.add(chunk));
    socket.on('end', () => socket.end());
    socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    socket.write('220 cutting.relay\r\n');
  }

  private mail(recipient: string): SeenMail {
    const known = this.mails.get(recipient);
    if (known) return known;
    const mail = { ...NOTHING_SEEN };
    this.mails.set(recipient, mail);
    return mail;
  }

  private end(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

class Conversation {
  private unread: Buffer = Buffer.alloc(0);
  private state: 'commands' | 'message' | 'dot' | 'cut' = 'commands';
  private recipient = '';
  private envid = '';
  /** As announced with MAIL FROM: the message without its final dot. */
  private size = Infinity;
  private hasDot = false;

  constructor(
    private readonly socket: Socket,
    private readonly mailTo: (recipient: string) => SeenMail,
    private readonly options: CutsOptions,
  ) {}

  add(chunk: Buffer): void {
    this.unread = Buffer.concat([this.unread, chunk]);
    this.read();
  }

  private read(): void {
    if (this.state === 'cut') this.afterTheCut();
    while (this.state === 'commands' ? this.command() : this.state === 'message' && this.message());
  }

  /** @returns whether there was one */
  private command(): boolean {
    const end = this.unread.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.unread.toString('utf8', 0, end);
    this.unread = this.unread.subarray(end + 2);
    const [verb = ''] = line.toUpperCase().split(' ');
    if (verb === 'EHLO') this.reply(EHLO.join('\r\n'));
    else if (verb === 'DATA') this.data();
    else if (verb === 'QUIT') this.socket.end('221 2.0.0 Bye\r\n');
    else {
      if (verb === 'MAIL') {
        this.size = Number(/ SIZE=(\d+)/i.exec(line)?.[1] ?? Infinity);
        this.envid = / ENVID=(\S+)/i.exec(line)?.[1] ?? '';
      }
      if (verb === 'RCPT') this.recipient = /<([^>]*)>/.exec(line)?.[1] ?? '';
      this.reply('250 2.0.0 Ok');
    }
    return true;
  }

  private data(): void {
    if (this.isToCut('in place of 354')) return this.cut();
    this.state = 'message';
    this.hasDot = false;
    this.reply('354 Go on');
  }

  /** @returns whether it has ended */
  private message(): boolean {
    const end = this.unread.indexOf(END);
    if (end < 0) {
      const whole = this.unread.length >= this.size;
      if (this.isToCut('within the message') || (whole && this.isToCut('before the dot'))) this.cut();
      return false;
    }
    this.state = 'dot';
    this.unread = this.unread.subarray(end + END.length);
    void this.dot();
    return false;
  }

  /** Nothing is answered or cut before it is known what was committed when the dot was here. */
  private async dot(): Promise<void> {
    const mail = this.mailTo(this.recipient);
    mail.dots++;
    this.hasDot = true;
    if (!(await this.options.isMarked(this.envid))) mail.unmarked++;
    this.state = 'commands';
    if (this.isToCut('after the dot')) return this.cut();
    if (mail.cuts > 0) mail.taken++;
    else mail.late++;
    this.reply(mail.cuts > 0 ? '250 2.0.0 Taken' : '451 4.3.0 Too late to be cut');
    this.read();
  }

  private isToCut(here: Cut): boolean {
    return this.options.cutOf(this.recipient) === here && this.mailTo(this.recipient).cuts === 0;
  }

  /** Ends this end of the connection and goes on listening at the other: what comes has left before the cut was seen. */
  private cut(): void {
    this.mailTo(this.recipient).cuts++;
    this.state = 'cut';
    this.socket.end();
  }

  private afterTheCut(): void {
    if (this.hasDot || !this.unread.includes(END)) return;
    const mail = this.mailTo(this.recipient);
    this.hasDot = true;
    mail.dots++;
    mail.crossed++;
  }

  private reply(text: string): void {
    this.socket.write(`${text}\r\n`);
  }
}
