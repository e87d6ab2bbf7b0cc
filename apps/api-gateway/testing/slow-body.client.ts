import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type GatewayFixture, tokenFor } from './gateway.fixture';

/** A request whose body is written piece by piece. */
export class SlowBody {
  readonly request: ClientRequest;
  /** Of the body, what was given to the socket. */
  writtenBytes = 0;

  constructor(to: GatewayFixture, method: string, path: string, headers: Record<string, string> = {}) {
    this.request = request(`${to.url}${path}`, { method, headers: { authorization: `Bearer ${tokenFor()}`, ...headers } });
    this.request.on('error', () => undefined);
    this.request.flushHeaders();
  }

  /** Resolves when the socket has taken it. */
  async write(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve) => this.request.write(bytes, () => resolve()));
    this.writtenBytes += bytes.length;
  }

  async answer(): Promise<{ status: number; headers: IncomingMessage['headers']; json: any }> {
    const [response] = (await once(this.request, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    return { status: response.statusCode ?? 0, headers: response.headers, json: text ? JSON.parse(text) : undefined };
  }
}
