import { createHash, type Hash } from 'node:crypto';
import type { SeededRandom } from './seeded-random';

export const PIECE_BYTES = 2 ** 20;
/** Beginning of each piece: which it is, of which file. */
const OWN_BYTES = 8;

/** The bytes of a file, made when they are asked for: every piece of every file is another. */
export class FileContent {
  private static files = 0;
  private readonly number = FileContent.files++;
  private readonly piece: Buffer;

  constructor(
    readonly mebibytes: number,
    random: SeededRandom,
  ) {
    this.piece = Buffer.alloc(PIECE_BYTES);
    for (let at = 0; at < PIECE_BYTES; at += 4) this.piece.writeUInt32LE(random.integer(0, 2 ** 32 - 1), at);
  }

  get bytes(): number {
    return this.mebibytes * PIECE_BYTES;
  }

  *pieces(): Generator<Buffer> {
    for (let number = 0; number < this.mebibytes; number++) {
      const piece = Buffer.from(this.piece);
      piece.writeUInt32LE(this.number, 0);
      piece.writeUInt32LE(number, OWN_BYTES / 2);
      yield piece;
    }
  }

  /** Hex, of its first bytes; of all where so many are not said. */
  sha256(bytes = this.bytes): string {
    const hash = createHash('sha256');
    let left = bytes;
    for (const piece of this.pieces()) {
      if (left <= 0) break;
      hash.update(piece.subarray(0, left));
      left -= piece.length;
    }
    return hash.digest('hex');
  }
}

/** What came, for the comparison with what was sent. */
export class ReceivedContent {
  bytes = 0;
  private readonly hash: Hash = createHash('sha256');

  take(data: Buffer): void {
    this.bytes += data.length;
    this.hash.update(data);
  }

  isBeginningOf(content: FileContent): boolean {
    return this.hash.copy().digest('hex') === content.sha256(this.bytes);
  }

  isAllOf(content: FileContent): boolean {
    return this.bytes === content.bytes && this.isBeginningOf(content);
  }
}
