import { FRAME, encodeFrame, readFrames } from './frames';
import { H3, Http3Error } from './http3-error';
import { Http3Stream, type RequestHead } from './http3-stream';
import { QuicConnection, type QuicOptions } from './quic-connection';
import type { QuicStream } from './quic-stream';
import { UdpSocket } from './udp-socket';
import { encodeVarint, readVarint } from './varint';

const NOTHING = Buffer.alloc(0);
/** RFC 9114, 6.2. */
const CONTROL_STREAM = 0x0;
const PUSH_STREAM = 0x1;

/** A client's HTTP/3 connection (RFC 9114) on QUIC; no dynamic table of QPACK, no push. Certificates are always verified. */
export class Http3Connection {
  private constructor(
    private readonly quic: QuicConnection,
    private readonly socket: UdpSocket,
  ) {
    quic.onPeerStream = (stream) => void this.readPeerStream(stream);
    this.sendSettings().catch(() => undefined);
  }

  /**
   * Resolves when the handshake is done; with `early` at once, so that requests go with the first flight.
   * @throws Http3Error `transport`, with the TLS alert, if the server is not who it should be; `idle` if nobody answers
   */
  static async open(options: QuicOptions): Promise<Http3Connection> {
    const socket = await UdpSocket.to({ host: options.host, port: options.port }, options.record ?? false);
    try {
      const connection = new Http3Connection(new QuicConnection(options, socket), socket);
      if (!options.early) await connection.established;
      return connection;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Resolves when the handshake is done. @throws Http3Error why the connection ended before */
  get established(): Promise<void> {
    return this.quic.established;
  }

  /** Resolves, with why, when the connection is over. */
  get ended(): Promise<Http3Error> {
    return this.quic.ended;
  }

  /** What was agreed to be spoken (ALPN). */
  get protocol(): string {
    return this.quic.protocol;
  }

  /**
   * Whether the server took the requests that were sent before the handshake was done; `undefined` before one of them is answered, and if
   * there were none. Only sure where no datagram is lost: what is refused must be sent again, as what is lost.
   */
  get earlyAccepted(): boolean | undefined {
    return this.quic.earlyAccepted;
  }

  /** The UDP port that it sends from now. */
  get port(): number {
    return this.socket.address.port;
  }

  /** With `record`: the first 100 datagrams that were sent, in order. */
  get recorded(): readonly Buffer[] {
    return this.socket.recorded;
  }

  /** What resumes this connection, as soon as the server gave it. @throws Http3Error why the connection ended before */
  session(): Promise<Buffer> {
    return this.quic.session();
  }

  /** A request with all of its body. More than the server allows at a time wait for their turn. */
  request(head: RequestHead, body: Buffer | AsyncIterable<Buffer> = NOTHING): Http3Stream {
    const stream = this.start(head);
    stream.send(body).catch(() => undefined);
    return stream;
  }

  /** A request whose body is left to be written, and ended. */
  start(head: RequestHead): Http3Stream {
    return new Http3Stream(this.quic, head);
  }

  /** Something that the server has to acknowledge: keeps the connection from being idle. */
  ping(): void {
    this.quic.ping();
  }

  /** Goes on from another UDP port with the same connection ids, as if a NAT had forgotten them, and tells the server by a ping. */
  rebind(): Promise<void> {
    return this.quic.rebind();
  }

  /** Ends now and says so: CONNECTION_CLOSE with H3_NO_ERROR. What is not complete fails with `ended`. */
  close(): void {
    this.quic.close();
  }

  /** Ends without a word, as a process that was killed. What is not complete fails with `killed`. */
  kill(): void {
    this.quic.kill();
  }

  /** Fails with the connection only, which tells everyone else. */
  private async sendSettings(): Promise<void> {
    const control = await this.quic.open('unidirectional');
    await control.write(Buffer.concat([encodeVarint(CONTROL_STREAM), encodeFrame(FRAME.SETTINGS, NOTHING)]));
  }

  private async readPeerStream(stream: QuicStream): Promise<void> {
    try {
      const { type, rest } = await readStreamType(stream.read());
      if (type === PUSH_STREAM) throw new Http3Error('violation', H3.ID_ERROR);
      if (type === CONTROL_STREAM) await this.readControl(rest);
      // Without a dynamic table QPACK's streams have nothing to say; other types are to be ignored (RFC 9114, 6.2.3).
      else for await (const ignored of rest) void ignored;
    } catch (error) {
      if (error instanceof Http3Error && error.kind === 'violation') this.quic.close(error.code, error);
    }
  }

  private async readControl(bytes: AsyncIterable<Buffer>): Promise<void> {
    let hasSettings = false;
    for await (const { type } of readFrames(bytes)) {
      if (!hasSettings && type !== FRAME.SETTINGS) throw new Http3Error('violation', H3.MISSING_SETTINGS);
      if (hasSettings && type !== FRAME.GOAWAY) throw new Http3Error('violation', H3.FRAME_UNEXPECTED);
      hasSettings = true;
      if (type === FRAME.GOAWAY) this.quic.refuse(new Http3Error('goaway'));
    }
    throw new Http3Error('violation', H3.CLOSED_CRITICAL_STREAM);
  }
}

/** A stream's type (RFC 9114, 6.2), -1 if it ended before, and what is behind it. */
async function readStreamType(bytes: AsyncGenerator<Buffer, void>): Promise<{ type: number; rest: AsyncIterable<Buffer> }> {
  let head: Buffer = NOTHING;
  for (;;) {
    const type = readVarint(head, 0);
    if (type) return { type: type.value, rest: prepend(head.subarray(type.end), bytes) };
    const { value } = await bytes.next();
    if (!value) return { type: -1, rest: bytes };
    head = Buffer.concat([head, value]);
  }
}

async function* prepend(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  if (first.length > 0) yield first;
  yield* rest;
}
