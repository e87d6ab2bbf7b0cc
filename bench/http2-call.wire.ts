import { once } from 'node:events';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CallWire, WireAnswer, WireRequest, WireTarget } from './call-wire';

/** What a stream may send before it is read, and a connection 16 times as much: as the client of HTTP/3 has it. */
const WINDOW_BYTES = 1024 * 1024;

/** HTTP/2 by Node, on one connection. */
export class Http2CallWire implements CallWire {
  private constructor(
    readonly name: string,
    private readonly session: ClientHttp2Session,
  ) {}

  /** @param identity PEM, where the server asks for one */
  static async open(name: string, { port, ca }: WireTarget, identity?: { cert: Buffer; key: Buffer }): Promise<Http2CallWire> {
    const settings = { initialWindowSize: WINDOW_BYTES };
    const address = `127.0.0.1:${port}`;
    const session =
      ca === undefined
        ? connect(`http://${address}`, { settings })
        : connect(`https://${address}`, { settings, ca, servername: 'localhost', ...identity });
    await once(session, 'connect');
    // What ends the connection is told by the calls on it.
    session.on('error', () => undefined);
    session.setLocalWindowSize(16 * WINDOW_BYTES);
    return new Http2CallWire(name, session);
  }

  async send({ method, path, headers, body }: WireRequest): Promise<WireAnswer> {
    const stream = this.session.request({ ':method': method, ':path': path, ...headers }, { endStream: body === undefined });
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    let bytes = 0;
    stream.once('response', (fields) => (head = fields));
    stream.once('trailers', (fields: IncomingHttpHeaders) => (trailers = fields));
    stream.on('data', (piece: Buffer) => (bytes += piece.length));
    const answered = once(stream, 'end');
    if (typeof body === 'function') await pipeline(Readable.from(body(), { highWaterMark: 1 }), stream);
    else if (body) stream.end(body);
    await answered;
    const grpcStatus = trailers['grpc-status'] ?? head['grpc-status'];
    return { status: Number(head[':status']), grpcStatus: grpcStatus as string | undefined, bytes };
  }

  close(): void {
    this.session.destroy();
  }
}
