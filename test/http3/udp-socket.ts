import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

export interface Address {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
}

/** What the kernel holds in bursts, in bytes, as far as it is allowed. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
/** Recorded datagrams; more than any first flight. */
const MAX_RECORDED = 100;

/** A UDP socket that talks to one peer, and can be replaced by another while it does. */
export class UdpSocket {
  /** What was sent first, in order, if it is to be recorded. */
  readonly recorded: Buffer[] = [];
  private isClosed = false;

  private constructor(
    private socket: Socket,
    private readonly peer: Address,
    private readonly records: boolean,
  ) {}

  static async to(peer: Address, records = false): Promise<UdpSocket> {
    return new UdpSocket(await connectSocket(peer), peer, records);
  }

  get address(): Address {
    const { address, port } = this.socket.address();
    return { host: address, port };
  }

  /** Only what the peer sends comes. That nobody is there is not told: it is as if the datagram was lost. */
  onDatagram(listener: (datagram: Buffer) => void): void {
    this.socket.on('message', listener);
  }

  send(datagram: Buffer): void {
    if (this.isClosed) return;
    if (this.records && this.recorded.length < MAX_RECORDED) this.recorded.push(datagram);
    this.socket.send(datagram);
  }

  /** Goes on from another port; what is under way to the old one is lost. */
  async replace(): Promise<void> {
    const next = await connectSocket(this.peer);
    if (this.isClosed) return void next.close();
    const before = this.socket;
    for (const listener of before.listeners('message')) next.on('message', listener as (datagram: Buffer) => void);
    this.socket = next;
    before.close();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.socket.close();
  }
}

async function connectSocket({ host, port }: Address): Promise<Socket> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.connect(port, host, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  return socket.on('error', () => undefined);
}
