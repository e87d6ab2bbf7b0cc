import { existsSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectionBehaviour, type MailBehaviour, mailBehaviour } from './relay-behaviour';
import { note } from './relay-journal';
import type { SeededRandom } from './seeded-random';
import { SocketReader } from './socket-reader';

const EXTENSIONS = ['chaos.localhost', 'PIPELINING', 'SIZE 10485760', '8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES'];
const SLOW_MS = { min: 500, max: 3000 };
const GARBAGE = ['fine, thanks\r\n', '2\r\n', '999 9.9.9 what\r\n', '\0\x01\xff\r\n'];

export interface ChaosRelayOptions {
  port: number;
  /** Where it notes what it did. */
  journal: string;
  /** Where a file of this name stands, it behaves. */
  calmFile: string;
  random: SeededRandom;
}

/** A mail as far as it was told. */
interface Transaction {
  id: string;
  behaviour: MailBehaviour;
  accepted: string[];
}

/** An SMTP relay that does by chance what relays do at their worst, and notes truthfully what it kept. */
export class ChaosRelay {
  private readonly server: Server;
  /** Ids that were told to come back later. */
  private readonly greylisted = new Set<string>();

  constructor(private readonly options: ChaosRelayOptions) {
    this.server = createServer((socket) => {
      socket.on('error', () => undefined);
      // A client that goes away in the middle ends its own conversation.
      this.converse(socket)
        .catch(() => undefined)
        .finally(() => socket.destroy());
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => this.server.once('error', reject).listen(this.options.port, '127.0.0.1', resolve));
  }

  private get chaotic(): boolean {
    return !existsSync(this.options.calmFile);
  }

  private async converse(socket: Socket): Promise<void> {
    const behaviour = this.chaotic ? connectionBehaviour(this.options.random) : 'serve';
    if (behaviour !== 'serve') this.did(behaviour);
    if (behaviour === 'close') return;
    const reader = new SocketReader(socket);
    if (behaviour === 'silent-greeting') return void (await reader.line());
    if (behaviour === '421-greeting') return void socket.end('421 4.3.2 not now\r\n');
    socket.write('220 chaos.localhost ESMTP\r\n');
    let mail: Transaction | undefined;
    for (;;) {
      const line = await reader.line();
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'EHLO') socket.write(ehlo(behaviour === 'starttls-fails'));
      else if (verb === 'STAR') return void socket.end('220 2.0.0 go ahead\r\nthis is no handshake\r\n');
      else if (verb === 'MAIL') {
        mail = this.begin(line);
        socket.write('250 2.1.0 ok\r\n');
      } else if (verb === 'RCPT' && mail) socket.write(this.recipient(mail, line));
      else if (verb === 'DATA' && mail) {
        if (!(await this.data(socket, reader, mail))) return;
        mail = undefined;
      } else if (verb === 'QUIT') return void socket.end('221 2.0.0 bye\r\n');
      else socket.write(verb === 'RSET' || verb === 'NOOP' ? '250 2.0.0 ok\r\n' : '503 5.5.1 not now\r\n');
    }
  }

  private begin(line: string): Transaction {
    const behaviour = this.chaotic ? mailBehaviour(this.options.random) : 'take';
    if (behaviour !== 'take') this.did(behaviour);
    return { id: /ENVID=(\S+)/i.exec(line)?.[1] ?? '', behaviour, accepted: [] };
  }

  private recipient(mail: Transaction, line: string): string {
    const address = /^RCPT TO:<([^>]*)>/i.exec(line)?.[1] ?? '';
    if (mail.behaviour === 'greylist' && !this.greylisted.has(`${mail.id} ${address}`)) {
      this.greylisted.add(`${mail.id} ${address}`);
      return '450 4.2.0 greylisted\r\n';
    }
    if (mail.behaviour === 'mixed-recipients') {
      const fate = this.options.random.integer(0, 2);
      if (fate === 0) return '451 4.3.0 later\r\n';
      if (fate === 1) {
        note(this.options.journal, { what: 'refused', at: Date.now(), id: mail.id, to: [address] });
        return '550 5.1.1 no such user\r\n';
      }
    }
    mail.accepted.push(address);
    return '250 2.1.5 ok\r\n';
  }

  /** @returns whether the conversation goes on */
  private async data(socket: Socket, reader: SocketReader, mail: Transaction): Promise<boolean> {
    if (mail.accepted.length === 0) return goOn(socket, '554 5.5.1 no valid recipients\r\n');
    socket.write('354 go on\r\n');
    if (mail.behaviour === 'reset-in-data') {
      await reader.some();
      socket.resetAndDestroy();
      return false;
    }
    const message = await reader.until('\r\n.\r\n');
    return this.afterDot(socket, reader, mail, /^message-id: *<([^@>]*)/im.exec(message)?.[1] ?? '');
  }

  private async afterDot(socket: Socket, reader: SocketReader, mail: Transaction, messageId: string): Promise<boolean> {
    const { random, journal } = this.options;
    const { behaviour, id, accepted } = mail;
    const ends = /-(?:kept|lost)$/.exec(behaviour)?.[0];
    const refuses = behaviour.endsWith('after-dot');
    if (!refuses && ends !== '-lost') note(journal, { what: 'kept', at: Date.now(), id, to: accepted, messageId });
    if (behaviour.startsWith('drop')) return false;
    if (behaviour.startsWith('silent')) {
      await reader.line();
      return false;
    }
    if (behaviour.startsWith('malformed')) return goOn(socket, random.pick(GARBAGE));
    if (behaviour === '421-after-dot') {
      socket.end('421 4.3.2 closing\r\n');
      return false;
    }
    if (behaviour === '451-after-dot') return goOn(socket, '451 4.3.0 try again\r\n');
    if (behaviour === '554-after-dot') {
      note(journal, { what: 'refused', at: Date.now(), id, to: accepted });
      return goOn(socket, '554 5.6.0 not this one\r\n');
    }
    if (behaviour === 'slow') await sleep(random.integer(SLOW_MS.min, SLOW_MS.max));
    return goOn(socket, '250 2.0.0 kept\r\n');
  }

  private did(behaviour: string): void {
    note(this.options.journal, { what: 'did', at: Date.now(), behaviour });
  }
}

function ehlo(startTls: boolean): string {
  const lines = startTls ? [...EXTENSIONS, 'STARTTLS'] : EXTENSIONS;
  return lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join('');
}

function goOn(socket: Socket, reply: string): true {
  socket.write(reply, 'latin1');
  return true;
}
