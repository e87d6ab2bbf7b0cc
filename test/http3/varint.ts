/** The longest that is written here: frames and types of this client stay below it. */
const MAX_WRITTEN = 2 ** 30 - 1;

/** A variable-length integer (RFC 9000, 16). @throws RangeError above 2^30 - 1 */
export function encodeVarint(value: number): Buffer {
  if (value < 0 || value > MAX_WRITTEN) throw new RangeError(`${value} is no varint of 4 bytes`);
  if (value < 2 ** 6) return Buffer.of(value);
  const bytes = Buffer.alloc(value < 2 ** 14 ? 2 : 4);
  if (bytes.length === 2) bytes.writeUInt16BE(value + 0x4000);
  else bytes.writeUInt32BE(value + 0x8000_0000);
  return bytes;
}

/** The one at `offset` with the offset behind it; `undefined` where not all of it is there. Exact up to 2^53. */
export function readVarint(bytes: Buffer, offset: number): { value: number; end: number } | undefined {
  const first = bytes[offset];
  if (first === undefined) return undefined;
  const end = offset + 2 ** (first >> 6);
  if (end > bytes.length) return undefined;
  let value = first & 0x3f;
  for (const byte of bytes.subarray(offset + 1, end)) value = value * 256 + byte;
  return { value, end };
}
