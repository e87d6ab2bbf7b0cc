import { createCipheriv, createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tell } from './upload.way';

/** Of one write, and of one gRPC message. */
export const PIECE_BYTES = 256 * 1024;
const KEY = Buffer.alloc(16);

/**
 * Writes so many bytes to a file, the same for the same number.
 * @returns their SHA-256 in hex
 */
export async function makeContent(path: string, number: number, size: number): Promise<string> {
  const hash = createHash('sha256');
  const iv = Buffer.alloc(16);
  iv.writeUInt32BE(number);
  const stream = createCipheriv('aes-128-ctr', KEY, iv);
  const pieces = function* () {
    for (let at = 0; at < size; at += PIECE_BYTES) {
      const piece = stream.update(Buffer.alloc(Math.min(PIECE_BYTES, size - at)));
      hash.update(piece);
      yield piece;
    }
  };
  await pipeline(Readable.from(pieces()), createWriteStream(path));
  return hash.digest('hex');
}

/** The bytes from `from` to `to`, no faster than so many a second; tells of each piece once more is asked for. */
export async function* contentOf(
  { path, bytesPerSecond }: { path: string; bytesPerSecond: number },
  from: number,
  to: number,
  tell: Tell,
): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path);
  const began = performance.now();
  try {
    for (let at = from; at < to;) {
      const piece = Buffer.alloc(Math.min(PIECE_BYTES, to - at));
      await file.read(piece, 0, piece.length, at);
      yield piece;
      at += piece.length;
      tell({ kind: 'sent', to: at });
      await sleep(Math.max(0, ((at - from) / bytesPerSecond) * 1000 - (performance.now() - began)));
    }
  } finally {
    await file.close();
  }
}
