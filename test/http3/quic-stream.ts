import { Http3Error } from './http3-error';
import type { Quiche } from './quiche';

/** quiche.Shutdown. */
const READ = 0;
const WRITE = 1;
const NOTHING = Buffer.alloc(0);

/** What streams need of their connection. */
export interface StreamConnection {
  readonly quiche: Quiche;
  /** For what is read, until it is copied. */
  readonly scratch: Buffer;
  /** Why the connection is over, once it is. */
  readonly end: Http3Error | undefined;
  /** Those that wait; woken when it is worth another look, also at the end. */
  readonly readers: Map<number, () => void>;
  readonly writers: Map<number, () => void>;
  /** Has QUIC send what there is to send. */
  schedule(): void;
}

/** A QUIC stream that is read and written only as fast as both ends can. */
export class QuicStream {
  private cancelled: Error | undefined;
  private stopped: Http3Error | undefined;

  constructor(
    readonly id: number,
    private readonly connection: StreamConnection,
  ) {}

  /**
   * The bytes that come, in pieces of at most 64 KiB. QUIC is asked for each only when it is taken: what is not taken stays within
   * the window, and holds back the peer.
   * @throws Http3Error `reset`, `cancelled`, or why the connection ended
   */
  async *read(): AsyncGenerator<Buffer, void> {
    const { connection, id } = this;
    for (;;) {
      this.noteStop();
      const received = this.attempt(() => connection.quiche.streamRecv(id, connection.scratch));
      if (received) {
        const [length, isLast] = received;
        connection.schedule();
        if (length > 0) yield Buffer.from(connection.scratch.subarray(0, length));
        if (isLast) return;
      } else {
        if (connection.end) throw connection.end;
        await new Promise<void>((resolve) => connection.readers.set(id, resolve));
      }
    }
  }

  /**
   * Resolves when QUIC has taken all of it, which is no sooner than the peer's window and the congestion window allow. One at a time.
   * @throws Http3Error `stopped`, `cancelled`, or why the connection ended
   */
  async write(bytes: Buffer, isLast = false): Promise<void> {
    const { connection, id } = this;
    for (let rest = bytes; ;) {
      if (connection.end) throw connection.end;
      const written = this.attempt(() => connection.quiche.streamSend(id, rest, isLast));
      connection.schedule();
      if (written === rest.length) return;
      if (written === null) this.attempt(() => connection.quiche.streamCapacity(id));
      rest = rest.subarray(written ?? 0);
      await new Promise<void>((resolve) => connection.writers.set(id, resolve));
    }
  }

  end(): Promise<void> {
    return this.write(NOTHING, true);
  }

  /** RESET_STREAM and STOP_SENDING, for what is not complete yet; whoever reads or writes is told `error`. */
  cancel(code: number, error: Error): void {
    if (this.cancelled) return;
    this.cancelled = error;
    const { quiche, scratch, readers, writers } = this.connection;
    try {
      // quiche 0.18 gives the connection's window back for what was read only.
      while (quiche.streamRecv(this.id, scratch));
    } catch {
      // Reset by the peer, or over.
    }
    for (const side of [READ, WRITE]) {
      try {
        quiche.streamShutdown(this.id, side, code);
      } catch {
        // That side was over.
      }
    }
    for (const waiting of [readers, writers]) wake(waiting, this.id);
    this.connection.schedule();
  }

  private attempt<T>(call: () => T): T {
    if (this.cancelled) throw this.cancelled;
    try {
      return call();
    } catch (error) {
      // A stream that quiche has forgotten although this side did not end it.
      if ((error as Error).message.startsWith('InvalidStreamState')) throw this.stopped ?? new Http3Error('stopped');
      throw asHttp3Error(error) ?? error;
    }
  }

  /** Once all was read, quiche may forget the stream, and with it that the server takes no more. */
  private noteStop(): void {
    try {
      this.connection.quiche.streamCapacity(this.id);
    } catch (error) {
      this.stopped ??= asHttp3Error(error);
    }
  }
}

/** Has one that waits look again. */
export function wake(waiting: Map<number, () => void>, id: number): void {
  const look = waiting.get(id);
  waiting.delete(id);
  look?.();
}

/** quiche names what the peer did in the message. */
function asHttp3Error(error: unknown): Http3Error | undefined {
  const [, what, code] = /^Stream(Reset|Stopped)\((\d+)\)$/.exec((error as Error).message) ?? [];
  if (what === undefined) return undefined;
  return new Http3Error(what === 'Reset' ? 'reset' : 'stopped', Number(code));
}
