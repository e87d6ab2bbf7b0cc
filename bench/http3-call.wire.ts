import { Readable } from 'node:stream';
import { Http3Connection } from '#http3/http3-connection';
import type { CallWire, WireAnswer, WireRequest, WireTarget } from './call-wire';

/** As the edge allows: other wires take their turns meanwhile. */
const IDLE_MS = 120_000;

/** HTTP/3 by quiche, on one connection. */
export class Http3CallWire implements CallWire {
  private constructor(
    readonly name: string,
    private readonly connection: Http3Connection,
  ) {}

  static async open(name: string, { port, ca = '' }: WireTarget): Promise<Http3CallWire> {
    return new Http3CallWire(name, await Http3Connection.open({ host: '127.0.0.1', port, serverName: 'localhost', ca, idleMs: IDLE_MS }));
  }

  async send({ method, path, headers, body }: WireRequest): Promise<WireAnswer> {
    const head = { method, path, authority: 'localhost', headers };
    const stream = this.connection.request(head, typeof body === 'function' ? Readable.from(body(), { highWaterMark: 1 }) : body);
    const { status, headers: fields } = await stream.response;
    let bytes = 0;
    for await (const piece of stream.body) bytes += piece.length;
    const grpcStatus = (await stream.trailers)['grpc-status'] ?? fields['grpc-status'];
    return { status, grpcStatus: grpcStatus as string | undefined, bytes };
  }

  close(): void {
    this.connection.close();
  }
}
