/** RFC 2045, 6.8: a line has 76 characters at most, which are 57 bytes. */
export const LINE_BYTES = 57;
const LINE_LENGTH = 76;
/** What is encoded at once: small enough that a slow relay holds little, large enough to cost little. */
const PART_BYTES = LINE_BYTES * 1024;

/** Base64 in lines, a line end between two of them and none at the end, however the bytes are cut into pieces. */
export async function* base64Lines(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let rest = Buffer.alloc(0);
  let lineEnd = '';
  for await (const piece of pieces) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
    const whole = bytes.length - (bytes.length % LINE_BYTES);
    for (let from = 0; from < whole; from += PART_BYTES) {
      yield encode(lineEnd, bytes.subarray(from, Math.min(from + PART_BYTES, whole)));
      lineEnd = '\r\n';
    }
    // A copy: a few bytes must not hold all of their piece.
    rest = Buffer.from(bytes.subarray(whole));
  }
  if (rest.length > 0) yield encode(lineEnd, rest);
}

/** How long `base64Lines` of so many bytes are. */
export function base64LinesLength(bytes: number): number {
  const characters = 4 * Math.ceil(bytes / 3);
  return characters + 2 * Math.max(Math.ceil(characters / LINE_LENGTH) - 1, 0);
}

const encode = (lineEnd: string, bytes: Buffer): Buffer =>
  Buffer.from(lineEnd + (bytes.toString('base64').match(/.{1,76}/g) ?? []).join('\r\n'), 'latin1');
