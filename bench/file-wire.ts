import { randomBytes } from 'node:crypto';

/** One way to bring files to a server and back. */
export interface FileWire {
  name: string;
  /** @returns its id */
  upload(content: FileContent): Promise<string>;
  /** @returns bytes that came; they are counted, and not looked at */
  download(id: string): Promise<number>;
  remove(id: string): Promise<void>;
  close(): void;
}

const PIECE_BYTES = 2 ** 20;
const UNIQUE_BYTES = 16;
/** The same in all files: what costs the least to send. */
const PIECE = randomBytes(PIECE_BYTES);

/** A file that no other is like: its first bytes are its own. */
export class FileContent {
  /** @param mebibytes a whole number */
  constructor(private readonly mebibytes: number) {}

  get bytes(): number {
    return this.mebibytes * PIECE_BYTES;
  }

  *pieces(): Generator<Buffer> {
    yield Buffer.concat([randomBytes(UNIQUE_BYTES), PIECE.subarray(UNIQUE_BYTES)]);
    for (let piece = 1; piece < this.mebibytes; piece++) yield PIECE;
  }
}
