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

/** A piece whose stream ends in order whatever becomes of it; why it failed, where it did, is kept to be told. */
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

  /**
   * Of one that is atomic nothing is kept: a chunk follows that does not belong there, which the service must refuse. To
   * cancel the call would not do: Node ends a stream in order before it resets it, and the service may see the end first.
   */
  async *keptWhole(chunks: AsyncIterable<FileChunk>, offset: number): AsyncGenerator<FileChunk, void, undefined> {
    let end = offset;
    try {
      for await (const chunk of chunks) {
        end += chunk.data.length;
        yield chunk;
      }
    } catch (error) {
      this.failure = error as Error;
      yield { ...NO_CHUNK, offset: String(end + 1) };
    }
  }
}

const BREAKS: ReadonlySet<string> = new Set(['CANCELLED', 'DEADLINE_EXCEEDED']);

const NO_CHUNK = {
  fileId: '',
  filename: '',
  contentType: '',
  data: Buffer.alloc(0),
  totalSize: '0',
  last: false,
  sha256: '',
  atomic: false,
};
