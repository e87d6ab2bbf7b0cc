import { contentLost } from '../store-error';
import { s3Error } from './s3-error';
import type { S3ObjectClient } from './s3-object.client';

const PIECE_BYTES = 256 * 1024;

/** Reads runs of bytes of objects, all of them or an error. */
export class S3ObjectReader {
  constructor(private readonly client: S3ObjectClient) {}

  /**
   * In pieces of 256 KiB at most. A connection that ends, or is ended because nothing was asked for a while, is made anew
   * where it ended, as long as each gives something.
   * @throws RuleError STORE_UNAVAILABLE, CONTENT_LOST
   */
  async *pieces(key: string, offset: number, length: number): AsyncGenerator<Buffer, void, undefined> {
    const end = offset + length;
    for (let at = offset; at < end;) {
      const began = at;
      try {
        for await (const piece of this.answer(key, at, end)) {
          at += piece.length;
          yield piece;
        }
        if (at < end) throw contentLost(new Error(`the object ends ${end - at} bytes too early`));
      } catch (error) {
        const told = s3Error(error);
        if (at === began || told.reason !== 'STORE_UNAVAILABLE') throw told;
      }
    }
  }

  /** The same at once, of what is small. */
  async whole(key: string, offset: number, length: number): Promise<Buffer> {
    const whole = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    for await (const piece of this.pieces(key, offset, length)) filled += piece.copy(whole, filled);
    return whole;
  }

  private async *answer(key: string, offset: number, end: number): AsyncGenerator<Buffer, void, undefined> {
    const body = await this.client.get(key, offset, end);
    try {
      let left = end - offset;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        left -= chunk.length;
        if (left < 0) throw new Error('the server sent more than the range that was asked for');
        for (let at = 0; at < chunk.length; at += PIECE_BYTES) yield chunk.subarray(at, at + PIECE_BYTES);
      }
    } finally {
      body.destroy();
    }
  }
}
