import { type AddressInfo, createServer, connect, type Server, type Socket } from 'node:net';
import type { SeededRandom } from './seeded-random';

const LOOPBACK = '127.0.0.1';

/** One connection through the proxy: what comes from one end goes to the other. */
interface Pair {
  near: Socket;
  far: Socket;
  /** One direction was closed by the proxy: what still comes is dropped. */
  halfClosed: boolean;
  /** Goes on reading, unless the piece read last is still to be written: no piece may pass another. */
  goOn(): void;
}

/** Stands between two processes, and is told what to do to their connections. */
export class TcpProxy {
  private readonly pairs = new Set<Pair>();
  private readonly server: Server;
  private delayMs = 0;
  private isHole = false;
  private refuses = false;

  private constructor(private readonly targetPort: number) {
    this.server = createServer({ allowHalfOpen: true }, (near) => this.accept(near));
  }

  /** Listens on loopback, on a free port. */
  static async before(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await new Promise<void>((resolve, reject) => proxy.server.once('error', reject).listen(0, LOOPBACK, resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Resets every connection, as a firewall that forgot them. */
  cut(): void {
    for (const { near, far } of this.pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** Closes one direction of every connection, which is told to its end and not to its beginning. */
  halfClose(random: SeededRandom): void {
    for (const pair of this.pairs) {
      pair.halfClosed = true;
      (random.next() < 0.5 ? pair.near : pair.far).end();
    }
  }

  /** Nothing goes through, in either direction, and nobody is told. */
  hole(): void {
    this.isHole = true;
    for (const { near, far } of this.pairs) {
      near.pause();
      far.pause();
    }
  }

  /** What comes from now on goes on so much later, one piece at a time. */
  delay(ms: number): void {
    this.delayMs = ms;
  }

  /** New connections are reset. */
  refuse(): void {
    this.refuses = true;
    this.cut();
  }

  /** As if nothing had been; what was held up goes on, but for connections of which one half is closed. */
  heal(): void {
    this.delayMs = 0;
    this.isHole = false;
    this.refuses = false;
    for (const { near, halfClosed, goOn } of this.pairs) {
      if (halfClosed) near.destroy();
      else goOn();
    }
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private accept(near: Socket): void {
    near.on('error', () => undefined);
    if (this.refuses) return void near.resetAndDestroy();
    const far = connect({ port: this.targetPort, host: LOOPBACK, allowHalfOpen: true });
    const pair: Pair = { near, far, halfClosed: false, goOn: () => directions.forEach((goOn) => goOn()) };
    this.pairs.add(pair);
    const directions = [this.forward(pair, near, far), this.forward(pair, far, near)];
  }

  /** @returns what goes on reading, if nothing is in its way */
  private forward(pair: Pair, from: Socket, to: Socket): () => void {
    let isWriting = false;
    const goOn = (): void => void (isWriting || this.isHole || from.resume());
    const written = (): void => {
      isWriting = false;
      goOn();
    };
    const write = (chunk: Buffer): void => {
      if (pair.halfClosed || to.writableEnded || to.destroyed) written();
      else if (to.write(chunk)) written();
      else to.once('drain', written);
    };
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      from.pause();
      isWriting = true;
      if (this.delayMs > 0) setTimeout(() => write(chunk), this.delayMs);
      else write(chunk);
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.pairs.delete(pair);
      to.destroy();
    });
    if (this.isHole) from.pause();
    return goOn;
  }
}
