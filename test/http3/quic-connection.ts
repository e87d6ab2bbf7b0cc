import { randomBytes } from 'node:crypto';
import { H3, Http3Error } from './http3-error';
import { Config, Connection, type Quiche } from './quiche';
import { QuicStream, type StreamConnection, wake } from './quic-stream';
import { StreamIds } from './stream-ids';
import type { Address, UdpSocket } from './udp-socket';

/** Bytes of a datagram: what a path of 1400 bytes, IPv6 and UDP headers let through. */
const MAX_DATAGRAM = 1350;
const CONNECTION_ID_BYTES = 16;
/** At a time: the server needs one for each address of the client that it still remembers. */
const MAX_CONNECTION_IDS = 8;
/** The server's control and QPACK streams, and some that it may invent (RFC 9114, 6.2). */
const MAX_PEER_STREAMS = 8;
const NOTHING = Buffer.alloc(0);

export interface QuicOptions extends Address {
  /** That the certificate must be for; sent as SNI. */
  readonly serverName: string;
  /** PEM: the only authorities that are believed. */
  readonly ca: string | Buffer;
  /** The protocol that is asked for (ALPN). Default `h3`. */
  readonly alpn?: string;
  /** What {@link QuicConnection.session} of a connection before gave: resumes it. */
  readonly session?: Buffer;
  /** Sends before the handshake is done (0-RTT), if the session allows it. */
  readonly early?: boolean;
  /** The connection is over when nothing came for so long, or for three probe timeouts, 3 s at first; the server may ask for less. Default 30 s. */
  readonly idleMs?: number;
  /** How many bytes of a stream the server may send before they are read; 16 times that of all streams. Default 1 MiB. */
  readonly window?: number;
  /** Keeps the first 100 datagrams that are sent. */
  readonly record?: boolean;
}

/** A QUIC connection (RFC 9000) of quiche on a UDP socket: whatever happens to it ends every wait. */
export class QuicConnection implements StreamConnection {
  readonly quiche: Quiche;
  readonly scratch = Buffer.allocUnsafe(64 * 1024);
  readonly readers = new Map<number, () => void>();
  readonly writers = new Map<number, () => void>();
  end: Http3Error | undefined;
  /** Set by the first answer to a request that was sent early: what the server refuses is lost, and sent again. quiche does not tell. */
  earlyAccepted: boolean | undefined;
  /** Called when the connection is over; `end` says why. */
  readonly atEnd = new Set<() => void>();
  /** Is told of each stream that the server opens. */
  onPeerStream: (stream: QuicStream) => void = () => undefined;
  private readonly handshake = Promise.withResolvers<void>();
  private readonly ticket = Promise.withResolvers<Buffer>();
  private readonly ending = Promise.withResolvers<Http3Error>();
  private readonly bidirectional = new StreamIds(
    0,
    () => this.quiche.peerStreamsLeftBidi(),
    (id) => {
      this.quiche.streamSend(id, NOTHING, false);
      if (!this.quiche.isEstablished()) this.lastEarly = id;
    },
  );
  private readonly unidirectional = new StreamIds(
    2,
    () => this.quiche.peerStreamsLeftUni(),
    (id) => this.quiche.streamSend(id, NOTHING, false),
  );
  private readonly peerStreams = new Set<number>();
  private readonly packet = Buffer.allocUnsafe(MAX_DATAGRAM);
  private readonly path: { from: Address; to: Address };
  private refusal: Http3Error | undefined;
  private offersEarlyData = false;
  /** The last request that was opened before the handshake was done. */
  private lastEarly = -1;
  private hasTicket = false;
  private isScheduled = false;
  private timer: NodeJS.Timeout | undefined;

  /** Begins the handshake; the socket is the connection's from here on. */
  constructor(
    options: QuicOptions,
    private readonly socket: UdpSocket,
  ) {
    this.path = { from: { host: options.host, port: options.port }, to: socket.address };
    const { serverName, session } = options;
    this.quiche = Connection.connect(serverName, randomBytes(CONNECTION_ID_BYTES), this.path.to, this.path.from, quicheConfig(options));
    if (session) this.quiche.setSession(session);
    for (const { promise } of [this.handshake, this.ticket]) promise.catch(() => undefined);
    socket.onDatagram((datagram) => this.receive(datagram));
    this.schedule();
  }

  /** Resolves when the handshake is done. @throws Http3Error why the connection ended before */
  get established(): Promise<void> {
    return this.handshake.promise;
  }

  /** Resolves, with why, when the connection is over. */
  get ended(): Promise<Http3Error> {
    return this.ending.promise;
  }

  /** What the server agreed to speak; empty until it has. */
  get protocol(): string {
    return Buffer.from(this.quiche.applicationProto()).toString('latin1');
  }

  /** What resumes the connection, as soon as the server gave it. @throws Http3Error why the connection ended before */
  session(): Promise<Buffer> {
    return this.ticket.promise;
  }

  /** A stream of ours, as soon as the server allows one more. @throws Http3Error why the connection ended before */
  async open(kind: 'bidirectional' | 'unidirectional'): Promise<QuicStream> {
    const refusal = this.end ?? this.refusal;
    if (refusal) throw refusal;
    const id = await this[kind].take();
    return new QuicStream(id, this);
  }

  /** The server takes no new streams; those that are open go on. */
  refuse(refusal: Http3Error): void {
    this.refusal = refusal;
    this.bidirectional.fail(refusal);
  }

  ping(): void {
    if (this.end) return;
    this.quiche.sendAckEliciting();
    this.schedule();
  }

  /** Goes on from another port, as behind a NAT that forgot the connection; its ids stay. */
  async rebind(): Promise<void> {
    await this.socket.replace();
    this.ping();
  }

  /** CONNECTION_CLOSE with a code of HTTP/3. */
  close(code: number = H3.NO_ERROR, end = new Http3Error('ended')): void {
    if (this.end) return;
    this.quiche.close(true, code, NOTHING);
    this.flush();
    this.finish(end);
  }

  /** Not one datagram more. */
  kill(): void {
    this.finish(new Http3Error('killed'));
  }

  /** Together, at the end of this turn: what came, and what there is to send. */
  schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => this.turn());
  }

  private receive(datagram: Buffer): void {
    try {
      this.quiche.recv(datagram, this.path);
    } catch {
      // quiche has closed the connection then: see whyOver.
    }
    this.schedule();
  }

  private turn(): void {
    this.isScheduled = false;
    if (this.end) return;
    this.deliver();
    this.flush();
    const end = this.whyOver();
    if (end) this.finish(end);
  }

  private deliver(): void {
    const { quiche } = this;
    if (quiche.isEstablished()) {
      this.handshake.resolve();
      this.takeTicket();
      while (quiche.sourceCidsLeft() > 0) quiche.newSourceCid(randomBytes(CONNECTION_ID_BYTES), randomBytes(16).readBigUInt64BE(), false);
    }
    for (const id of quiche.readable()) {
      if (id % 4 === 3 && !this.peerStreams.has(id)) {
        this.peerStreams.add(id);
        this.onPeerStream(new QuicStream(id, this));
      }
      if (this.offersEarlyData && id % 4 === 0 && id <= this.lastEarly) this.earlyAccepted ??= quiche.stats().lost === 0;
      wake(this.readers, id);
    }
    for (const id of [...this.writers.keys()]) wake(this.writers, id);
    this.bidirectional.admit();
    this.unidirectional.admit();
  }

  private takeTicket(): void {
    const session = this.hasTicket ? null : this.quiche.session();
    if (!session) return;
    this.hasTicket = true;
    this.ticket.resolve(Buffer.from(session));
  }

  private flush(): void {
    try {
      for (let sent = this.quiche.send(this.packet); sent; sent = this.quiche.send(this.packet)) {
        this.socket.send(Buffer.from(this.packet.subarray(0, sent[0])));
      }
    } catch {
      // As above.
    }
    this.offersEarlyData ||= this.quiche.isInEarlyData();
    clearTimeout(this.timer);
    const withinMs = this.quiche.timeout();
    if (withinMs === null) return;
    this.timer = setTimeout(() => {
      this.quiche.onTimeout();
      this.turn();
    }, withinMs);
  }

  private whyOver(): Http3Error | undefined {
    const { quiche } = this;
    const peer = quiche.peerError();
    if (peer) return new Http3Error(peer.isApp ? 'closed' : 'transport', peer.errorCode);
    const own = quiche.localError();
    if (own) return new Http3Error('transport', own.errorCode);
    if (quiche.isTimedOut()) return new Http3Error('idle');
    return quiche.isClosed() || quiche.isDraining() ? new Http3Error('forgotten') : undefined;
  }

  private finish(end: Http3Error): void {
    if (this.end) return;
    this.end = end;
    clearTimeout(this.timer);
    this.socket.close();
    for (const waiting of [this.handshake, this.ticket]) waiting.reject(end);
    for (const ids of [this.bidirectional, this.unidirectional]) ids.fail(end);
    for (const waiting of [this.readers, this.writers]) for (const id of [...waiting.keys()]) wake(waiting, id);
    for (const listener of this.atEnd) listener();
    this.ending.resolve(end);
  }
}

function quicheConfig({ ca, alpn = 'h3', early = false, idleMs = 30_000, window = 1024 * 1024 }: QuicOptions) {
  const config = Config.withBoringSslCtx(true, false, Buffer.from(ca));
  config.setApplicationProtos([alpn]);
  if (early) config.enableEarlyData();
  config.setMaxIdleTimeout(idleMs);
  config.setMaxSendUdpPayloadSize(MAX_DATAGRAM);
  config.setActiveConnectionIdLimit(MAX_CONNECTION_IDS);
  config.setInitialMaxStreamsBidi(0);
  config.setInitialMaxStreamsUni(MAX_PEER_STREAMS);
  config.setInitialMaxStreamDataBidiLocal(window);
  config.setInitialMaxStreamDataUni(window);
  config.setMaxStreamWindow(window);
  config.setInitialMaxData(16 * window);
  config.setMaxConnectionWindow(16 * window);
  return config;
}
