import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import type { FileChunk } from '@sky-genesis/proto';

/**
 * A piece up to where the file ends.
 * @param room bytes that are missing of the file; undefined: not known
 * @throws InvalidArgumentError when more than that comes; of it nothing is given out
 */
export async function* within(room: number | undefined, piece: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let left = room ?? Infinity;
  for await (const bytes of piece) {
    left -= bytes.length;
    if (left < 0)
      throw new InvalidArgumentError([{ field: 'body', description: `must not be longer than the ${room} bytes that are missing` }]);
    yield bytes;
  }
}

/** A piece whose stream ends in order whatever becomes of it, so that the upload is free at once; why it failed is kept to be told. */
export class UnsurePiece {
  failure: Error | undefined;

  /** What came of it before its client was gone, or sent nothing for too long, is kept. */
  async *keptInPart(piece: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* piece;
    } catch (error) {
      if (!(error instanceof RuleError) || !BREAKS.has(error.reason)) throw error;
      this.failure = error;
    }
  }

  /** Of one that is atomic nothing is kept: its stream ends before the chunk that commits. */
  async *keptWhole(chunks: AsyncIterable<FileChunk>): AsyncGenerator<FileChunk, void, undefined> {
    try {
      yield* chunks;
    } catch (error) {
      this.failure = error as Error;
    }
  }
}

const BREAKS: ReadonlySet<string> = new Set(['CANCELLED', 'DEADLINE_EXCEEDED']);
