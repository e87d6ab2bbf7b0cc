import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { SeededRandom } from '../faults/seeded-random';
import { type Address, UdpSocket } from './udp-socket';

const LOOPBACK = '127.0.0.1';
const RECEIVE_BUFFER = 4 * 1024 * 1024;
/** Client addresses; what comes from more is dropped. */
const MAX_CLIENTS = 256;
/** Datagrams under way at a time, as in the queue of a router: what comes beyond is dropped. */
const MAX_DELAYED = 20_000;

/** Of one direction, in datagrams. */
export interface DatagramCount {
  passed: number;
  dropped: number;
}

/** Stands between clients and one server on loopback, as a network that loses and delays. */
export class UdpProxy {
  readonly toServer: DatagramCount = { passed: 0, dropped: 0 };
  readonly toClient: DatagramCount = { passed: 0, dropped: 0 };
  private readonly upstreams = new Map<string, Promise<UdpSocket>>();
  private readonly delayed = new Set<NodeJS.Timeout>();
  private fraction = 0;
  private delayMs = 0;
  private isClosed = false;

  private constructor(
    private readonly socket: Socket,
    private readonly server: Address,
    private readonly random: SeededRandom,
  ) {
    socket.on('message', (datagram, client) => void this.receive(datagram, client));
    socket.on('error', () => undefined);
  }

  /** Listens on a free port. `random` decides which datagrams are dropped. */
  static async before(targetPort: number, random: SeededRandom): Promise<UdpProxy> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER });
    await new Promise<void>((resolve, reject) => socket.once('error', reject).bind(0, LOOPBACK, resolve));
    return new UdpProxy(socket, { host: LOOPBACK, port: targetPort }, random);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** From now on so many are lost, in each direction: 0.05 is 5%. */
  drop(fraction: number): void {
    this.fraction = fraction;
  }

  /** What comes from now on goes on so much later, in each direction: half of what it adds to a round trip. */
  delay(ms: number): void {
    this.delayMs = ms;
  }

  /** Drops all that is under way. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const timer of this.delayed) clearTimeout(timer);
    for (const upstream of this.upstreams.values()) (await upstream).close();
    await new Promise<void>((resolve) => this.socket.close(resolve));
  }

  private async receive(datagram: Buffer, client: RemoteInfo): Promise<void> {
    const upstream = this.upstreamOf(client);
    if (!upstream) return void (this.toServer.dropped += 1);
    const socket = await upstream;
    this.pass(this.toServer, () => socket.send(datagram));
  }

  /** Each client address has a socket of its own, by which the server knows it. */
  private upstreamOf({ address, port }: RemoteInfo): Promise<UdpSocket> | undefined {
    const client = `${address}:${port}`;
    const known = this.upstreams.get(client);
    if (known !== undefined || this.upstreams.size >= MAX_CLIENTS) return known;
    const upstream = UdpSocket.to(this.server).then((socket) => {
      socket.onDatagram((datagram) => this.pass(this.toClient, () => this.socket.send(datagram, port, address)));
      return socket;
    });
    this.upstreams.set(client, upstream);
    return upstream;
  }

  private pass(count: DatagramCount, send: () => void): void {
    if (this.isClosed) return;
    if (this.random.next() < this.fraction || this.delayed.size >= MAX_DELAYED) return void (count.dropped += 1);
    count.passed += 1;
    if (this.delayMs === 0) return send();
    const timer = setTimeout(() => {
      this.delayed.delete(timer);
      send();
    }, this.delayMs);
    this.delayed.add(timer);
  }
}
