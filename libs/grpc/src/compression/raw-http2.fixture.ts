import { once } from 'node:events';
import { type ClientHttp2Session, connect, createServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A message as it was on the wire. */
export interface RawMessage {
  flag: number;
  bytes: Buffer;
}

export interface RawAnswer {
  headers: IncomingHttpHeaders;
  /** Those of the headers, where the answer has nothing else. */
  trailers: IncomingHttpHeaders;
  messages: RawMessage[];
}

export function frame(flag: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

export function messagesIn(body: Buffer): RawMessage[] {
  const messages: RawMessage[] = [];
  for (let at = 0; at < body.length;) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    messages.push({ flag: body.readUInt8(at), bytes: body.subarray(at + 5, end) });
    at = end;
  }
  return messages;
}

export const unpacked = ({ flag, bytes }: RawMessage): Buffer => (flag === 1 ? gunzipSync(bytes) : bytes);

/** A client that sends what no client of grpc-js does, and shows what is on the wire. */
export class RawClient {
  private readonly session: ClientHttp2Session;

  /** @param url host:port */
  constructor(url: string) {
    this.session = connect(`http://${url}`);
    this.session.on('error', () => undefined);
  }

  async call(path: string, headers: Record<string, string>, body: Buffer): Promise<RawAnswer> {
    const grpc = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
    const stream = this.session.request({ ...grpc, ':path': path, ...headers });
    let trailers: IncomingHttpHeaders | undefined;
    const pieces: Buffer[] = [];
    stream.on('trailers', (fields: IncomingHttpHeaders) => (trailers = fields)).on('data', (piece: Buffer) => pieces.push(piece));
    // The server may have answered before it has read all.
    stream.on('error', () => undefined).end(body);
    const [answered] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    if (!stream.closed) await once(stream, 'close');
    return { headers: answered, trailers: trailers ?? answered, messages: messagesIn(Buffer.concat(pieces)) };
  }

  close(): void {
    this.session.destroy();
  }
}

export interface RawCall {
  headers: IncomingHttpHeaders;
  messages: RawMessage[];
}

/** A server that keeps each call as it was on the wire, and answers all with the same. */
export class RawServer {
  readonly calls: RawCall[] = [];
  answer: { headers: Record<string, string>; body: Buffer } = { headers: {}, body: frame(0, Buffer.alloc(0)) };
  private readonly server = createServer();
  private readonly sessions = new Set<{ destroy(): void }>();

  private constructor() {
    this.server.on('session', (session) => this.sessions.add(session));
    this.server.on('stream', (stream, headers) => {
      const pieces: Buffer[] = [];
      stream.on('error', () => undefined).on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        this.calls.push({ headers, messages: messagesIn(Buffer.concat(pieces)) });
        stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...this.answer.headers }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(this.answer.body);
      });
    });
  }

  static async start(): Promise<RawServer> {
    const started = new RawServer();
    started.server.listen(0, '127.0.0.1');
    await once(started.server, 'listening');
    return started;
  }

  get url(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    for (const session of this.sessions) session.destroy();
  }
}
