import type { Socket } from 'node:net';

/** More than any mail of these tests: one that does not end is cut. */
const MOST = 16 * 1024 * 1024;

/** The connection ended where more was to come. */
export class ConnectionEndedError extends Error {}

/** Reads a socket piece by piece, as text of one byte a character. */
export class SocketReader {
  private buffered = '';
  private readonly chunks: AsyncIterator<Buffer>;

  constructor(socket: Socket) {
    this.chunks = (socket as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  /** @throws ConnectionEndedError */
  line(): Promise<string> {
    return this.until('\r\n');
  }

  /** What comes before the mark; the mark is taken as well. @throws ConnectionEndedError */
  async until(mark: string): Promise<string> {
    let from = 0;
    for (;;) {
      const at = this.buffered.indexOf(mark, from);
      if (at >= 0) {
        const text = this.buffered.slice(0, at);
        this.buffered = this.buffered.slice(at + mark.length);
        return text;
      }
      from = Math.max(0, this.buffered.length - mark.length);
      await this.more();
    }
  }

  /** Resolves once there is anything. @throws ConnectionEndedError */
  async some(): Promise<void> {
    if (this.buffered === '') await this.more();
  }

  private async more(): Promise<void> {
    const { done, value } = await this.chunks.next();
    if (done || this.buffered.length > MOST) throw new ConnectionEndedError();
    this.buffered += value.toString('latin1');
  }
}
