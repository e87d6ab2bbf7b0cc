import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { encodeFrame, FRAME } from '../http3/frames';
import { type FieldLine, encodeFieldSection } from '../http3/qpack';
import { Config, Connection, type Quiche } from '../http3/quiche';
import type { TestCertificates } from './test-certificates';

const LOOPBACK = '127.0.0.1';
const NOTHING = Buffer.alloc(0);
/** The server's first stream of its own. */
export const CONTROL_ID = 3;
/** A control stream's type, and empty SETTINGS. */
export const SETTINGS = Buffer.concat([Buffer.of(0), encodeFrame(FRAME.SETTINGS, NOTHING)]);

export const headers = (...lines: FieldLine[]) => encodeFrame(FRAME.HEADERS, encodeFieldSection(lines));

/** A QUIC server that answers with what a test says, right or wrong, for one client. */
export class ScriptedHttp3Server {
  /** Called once, when the handshake is done. */
  onEstablished: (quiche: Quiche) => void = (quiche) => quiche.streamSend(CONTROL_ID, SETTINGS, false);
  /** Called once for each request, when its beginning has come. */
  onRequest: (quiche: Quiche, id: number) => void = () => undefined;
  /** As quiche names what the client sent to end a stream. */
  readonly streamErrors = new Set<string>();
  /** The requests whose beginning came. */
  readonly requests = new Set<number>();
  quiche: Quiche | undefined;
  private client: RemoteInfo | undefined;
  private isEstablished = false;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly config: InstanceType<typeof Config>,
  ) {
    socket.on('message', (datagram, client) => this.receive(datagram, client));
  }

  /** @param maxRequests that the client may have open at a time */
  static async started({ certificatePath, keyPath }: TestCertificates, maxRequests = 100): Promise<ScriptedHttp3Server> {
    const config = Config.withBoringSslCtx(false, true, null, [readFileSync(keyPath)], [readFileSync(certificatePath)]);
    config.setApplicationProtos(['h3']);
    config.setMaxIdleTimeout(30_000);
    config.setInitialMaxData(1024 * 1024);
    config.setInitialMaxStreamDataBidiRemote(64 * 1024);
    config.setInitialMaxStreamDataUni(64 * 1024);
    config.setInitialMaxStreamsBidi(maxRequests);
    config.setInitialMaxStreamsUni(3);
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
    return new ScriptedHttp3Server(socket, config);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Sends what there is to send; to be called after something was done outside of the callbacks. */
  flush(): void {
    const { quiche, client } = this;
    if (!quiche || !client) return;
    const packet = Buffer.alloc(1350);
    for (let sent = quiche.send(packet); sent; sent = quiche.send(packet)) {
      this.socket.send(Buffer.from(packet.subarray(0, sent[0])), client.port, client.address);
    }
    clearTimeout(this.timer);
    const withinMs = quiche.timeout();
    if (withinMs === null) return;
    this.timer = setTimeout(() => {
      quiche.onTimeout();
      this.flush();
    }, withinMs);
  }

  close(): void {
    clearTimeout(this.timer);
    this.socket.close();
  }

  private receive(datagram: Buffer, client: RemoteInfo): void {
    const path = { from: { host: client.address, port: client.port }, to: { host: LOOPBACK, port: this.port } };
    if (client.port !== this.client?.port) {
      this.client = client;
      this.isEstablished = false;
      this.quiche = Connection.accept(randomBytes(16), null, path.to, path.from, this.config);
    }
    const quiche = this.quiche!;
    quiche.recv(datagram, path);
    if (quiche.isEstablished() && !this.isEstablished) {
      this.isEstablished = true;
      this.onEstablished(quiche);
    }
    // First: a stream that was reset is gone when it has been read.
    for (const id of quiche.writable()) this.attempt(() => quiche.streamCapacity(id));
    for (const id of quiche.readable()) this.attempt(() => this.read(quiche, id));
    this.flush();
  }

  private read(quiche: Quiche, id: number): void {
    const scratch = Buffer.alloc(64 * 1024);
    while (quiche.streamRecv(id, scratch));
    if (id % 4 !== 0 || this.requests.has(id)) return;
    this.requests.add(id);
    this.onRequest(quiche, id);
  }

  private attempt(call: () => unknown): void {
    try {
      call();
    } catch (error) {
      this.streamErrors.add((error as Error).message);
    }
  }
}
