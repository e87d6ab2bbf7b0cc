import { H3, Http3Error } from './http3-error';
import { encodeVarint, readVarint } from './varint';

/** RFC 9114, 7.2. */
export const FRAME = {
  DATA: 0x0,
  HEADERS: 0x1,
  CANCEL_PUSH: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  GOAWAY: 0x7,
  MAX_PUSH_ID: 0xd,
} as const;
const KNOWN_TYPES = new Set<number>(Object.values(FRAME));
/** Those of HTTP/2 that HTTP/3 has not: RFC 9114, 7.2.8. */
const HTTP2_TYPES = new Set([0x2, 0x6, 0x8, 0x9]);
/** Of frames that are taken as a whole, which is all but DATA; in bytes. */
const MAX_PAYLOAD = 256 * 1024;

/** Of DATA a frame here may be a part of one on the wire: it is passed on as it comes. */
export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

export function encodeFrame(type: number, payload: Buffer): Buffer {
  return Buffer.concat([encodeFrameHeader(type, payload.length), payload]);
}

export function encodeFrameHeader(type: number, length: number): Buffer {
  return Buffer.concat([encodeVarint(type), encodeVarint(length)]);
}

/**
 * The frames of a stream. Takes from `bytes` only what the next frame needs; unknown types are left out.
 * @throws Http3Error `violation`: a frame that the stream's end cuts, one of HTTP/2, one over the bound
 */
export async function* readFrames(bytes: AsyncIterable<Buffer>): AsyncGenerator<Frame, void> {
  let rest: Buffer = Buffer.alloc(0);
  /** The frame whose payload goes by as it comes: its type, and how much of it is to come. */
  let passing = { type: 0, left: 0 };
  for await (const chunk of bytes) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      if (passing.left > 0) {
        if (rest.length === 0) break;
        const payload = rest.subarray(0, passing.left);
        passing.left -= payload.length;
        rest = rest.subarray(payload.length);
        if (passing.type === FRAME.DATA) yield { type: FRAME.DATA, payload };
        continue;
      }
      const header = readHeader(rest);
      if (!header) break;
      const { type, length, end } = header;
      if (type === FRAME.DATA || !KNOWN_TYPES.has(type)) {
        passing = { type, left: length };
        rest = rest.subarray(end);
        continue;
      }
      if (rest.length < end + length) break;
      const payload = rest.subarray(end, end + length);
      rest = rest.subarray(end + length);
      yield { type, payload };
    }
  }
  if (rest.length > 0 || passing.left > 0) throw new Http3Error('violation', H3.FRAME_ERROR);
}

function readHeader(bytes: Buffer): { type: number; length: number; end: number } | undefined {
  const type = readVarint(bytes, 0);
  const length = type && readVarint(bytes, type.end);
  if (!type || !length) return undefined;
  if (HTTP2_TYPES.has(type.value)) throw new Http3Error('violation', H3.FRAME_UNEXPECTED);
  const isWhole = KNOWN_TYPES.has(type.value) && type.value !== FRAME.DATA;
  if (isWhole && length.value > MAX_PAYLOAD) throw new Http3Error('violation', H3.EXCESSIVE_LOAD);
  return { type: type.value, length: length.value, end: length.end };
}
