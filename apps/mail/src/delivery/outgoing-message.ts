import type { StoredObject } from '../files/object.store';
import { base64Lines, base64LinesLength } from './base64-lines';

/** A message as it goes to a relay, which need not be in memory. */
export interface OutgoingMessage {
  /** Up to the blank line behind it. */
  header: Buffer;
  /** All of it in bytes, as SIZE tells a relay (RFC 1870): dots not yet doubled. */
  size: number;
  /**
   * All of it, from its beginning, as often as it is asked for; files are read as the parts are taken.
   * @throws ContentUnavailableError
   */
  parts(): AsyncIterable<Buffer>;
}

/** The bytes of a file, in pieces, as they are asked for. */
export type ReadObject = (object: StoredObject) => AsyncIterable<Buffer>;

/** The bytes of a file cannot be read now: nothing is wrong with the mail or with the relay. */
export class ContentUnavailableError extends Error {
  constructor(options: ErrorOptions) {
    super('the bytes of an attachment cannot be read', options);
    this.name = new.target.name;
  }
}

/**
 * @param beginning with the header, up to the first file
 * @param files in base64 each, with what comes after it
 */
export function outgoingMessage(
  beginning: Buffer,
  files: readonly { object: StoredObject; after: Buffer }[],
  read: ReadObject,
): OutgoingMessage {
  return {
    header: beginning.subarray(0, beginning.indexOf('\r\n\r\n')),
    size: files.reduce((sum, { object, after }) => sum + base64LinesLength(object.size) + after.length, beginning.length),
    async *parts() {
      yield beginning;
      for (const { object, after } of files) {
        yield* base64Lines(available(read(object)));
        yield after;
      }
    },
  };
}

async function* available(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* pieces;
  } catch (cause) {
    throw new ContentUnavailableError({ cause });
  }
}
