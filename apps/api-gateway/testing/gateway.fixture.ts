import { connect } from 'node:net';
import { issueToken } from '@sky-genesis/auth';
import { type GatewayConfig, readGatewayConfig } from '../src/gateway.config';
import { type Gateway, startGateway } from '../src/start-gateway';
import { FakeFilesService } from './fake-files.service';
import { FakeMailService } from './fake-mail.service';
import { FakeSearchService } from './fake-search.service';

export const AUTH = { AUTH_SECRET: 'only-for-tests-only-for-tests-0000', AUTH_ISSUER: 'https://issuer.test', AUTH_AUDIENCE: 'sge' };

export const tokenFor = (
  scope = 'mail.send mail.read events.read search.read search.write files.read files.write',
  secondsToLive = 60,
): string => issueToken(AUTH, { sub: 'alice', tenant: 'acme', scope, senders: ['*@example.com'] }, secondsToLive);

export const configFor = (address: string, more: Record<string, string> = {}): GatewayConfig =>
  readGatewayConfig({
    HTTP_PORT: '0',
    GRPC_MAIL_SERVICE_ADDR: address,
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    DRAIN_NOTICE_SECONDS: '0',
    ...AUTH,
    ...more,
  });

export interface Answer {
  status: number;
  headers: Headers;
  json: any;
}

/** A gateway on a free port, before fakes of the services. */
export class GatewayFixture {
  readonly mail = new FakeMailService();
  /** Served where mail is. */
  readonly files = new FakeFilesService();
  readonly search = new FakeSearchService();
  private gateway!: Gateway;

  async start(more: Record<string, string> = {}): Promise<this> {
    await Promise.all([this.mail.start(this.files), this.search.start()]);
    this.gateway = await startGateway(configFor(this.mail.address, { GRPC_SEARCH_SERVICE_ADDR: this.search.address, ...more }));
    return this;
  }

  async stop(): Promise<void> {
    await this.close();
    this.mail.stop();
  }

  get url(): string {
    return this.gateway.url;
  }

  /** All but the fake of mail. */
  async close(): Promise<void> {
    await this.gateway.close();
    this.search.stop();
  }

  /** Asks with a valid token unless `headers` say otherwise. */
  async ask(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, { ...init, headers: { authorization: `Bearer ${tokenFor()}`, ...init.headers } });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, json: isJson && text ? JSON.parse(text) : text };
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('POST', path, body, headers);
  }

  send(method: 'POST' | 'PUT' | 'DELETE', path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.ask(path, { method, body: text, headers: { 'content-type': 'application/json', ...headers } });
  }

  /** Sends lines as they are, and reads until the server closes the connection. */
  askRaw(lines: readonly string[]): Promise<{ status: number; headers: Record<string, string>; json: any }> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const socket = connect(Number(new URL(this.url).port), '127.0.0.1', () => socket.write(lines.join('\r\n')));
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('error', reject);
      socket.on('close', () => {
        const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
        const [first = '', ...fields] = head.split('\r\n');
        const headers = Object.fromEntries(
          fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 2)]),
        );
        resolve({ status: Number(first.split(' ')[1]), headers, json: JSON.parse(body) });
      });
    });
  }
}
