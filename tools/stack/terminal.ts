import { relative } from 'node:path';
import type { DataFolder } from './data-folder';
import { edgeCa } from './edge';
import { gatewayUrl } from './programs';
import type { Ending } from './running-process';
import type { StackDescription } from './stack-file';

/** What the stack tells the person who started it. */
export class Terminal {
  private midLine = false;

  constructor(
    private readonly write: (text: string) => void,
    private readonly writeFault: (text: string) => void,
  ) {}

  line(text = ''): void {
    this.breakLine();
    this.write(`${text}\n`);
  }

  /** Why the stack does not start or go on. */
  fault(text: string): void {
    this.breakLine();
    this.writeFault(`${text}\n`);
  }

  private breakLine(): void {
    if (this.midLine) this.write('\n');
    this.midLine = false;
  }

  /** One step of the start, with the seconds that it took. */
  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const startedAt = Date.now();
    this.write(`  ${name.padEnd(24)}`);
    this.midLine = true;
    const result = await work();
    if (!this.midLine) this.write(`  ${name.padEnd(24)}`);
    this.write(`${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
    this.midLine = false;
    return result;
  }

  /** A process that ended by itself, with its last lines and what becomes of it. */
  ended({ name, how, lastLines }: Ending, next: string): void {
    this.fault([`${time()} ${name} ended (${how}). ${next}`, ...lastLines.map((line) => `  ${name} | ${line}`)].join('\n'));
  }

  event(text: string): void {
    this.line(`${time()} ${text}`);
  }

  /** Where everything is, and a first mail, search and file to paste. */
  welcome(stack: StackDescription, folder: DataFolder, seconds: number): void {
    const url = gatewayUrl(stack.ports);
    const short = (path: string): string => (relative('', path).startsWith('..') ? path : relative('', path));
    this.line(`Ready in ${seconds.toFixed(1)} s. Ctrl-C ends everything; what was accepted is there at the next start.\n`);
    this.line(`  REST    ${url}/api/v1 (documentation: ${url}/api/docs)`);
    this.line(`  gRPC    mail and files 127.0.0.1:${stack.ports.mail_grpc}, search 127.0.0.1:${stack.ports.search_grpc}`);
    if (stack.urls.edge !== undefined) this.line(`  HTTP/3  ${stack.urls.edge}, REST and gRPC (CA: ${short(edgeCa(folder.edge))})`);
    if (stack.urls.sink !== undefined) this.line(`  inbox   ${short(folder.inbox)}/<message_id>.eml`);
    this.line(`  logs    ${short(folder.logs)}`);
    if (stack.token === '') return this.line('  token   from your own issuer (AUTH_JWKS_URI or AUTH_PUBLIC_KEY)\n');
    this.line(`  token   for 24 h; others: npm run token -- --help\n\n${stack.token}\n`);
    this.line('Send a first mail:\n');
    this.line(firstMail(url, stack.token));
    this.line('\nand find it:\n');
    this.line(firstSearch(url, stack.token));
    this.line('\nUpload a file, whose file_id a mail can name:\n');
    this.line(firstFile(url, stack.token));
    this.line();
  }
}

/** One line each, so that they can be pasted anywhere. */
const firstMail = (url: string, token: string): string =>
  `curl -sS ${url}/api/v1/mail/send -H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json' ` +
  `-d '{"to": ["recipient@example.com"], "subject": "Hello", "body": "Message content"}'`;

const firstSearch = (url: string, token: string): string => `curl -sS '${url}/api/v1/search?q=Hello' -H 'Authorization: Bearer ${token}'`;

const time = (): string => new Date().toTimeString().slice(0, 8);

const firstFile = (url: string, token: string): string =>
  `curl -sS -T package.json ${url}/api/v1/files/by-name/ -H 'Authorization: Bearer ${token}'`;
