/** RFC 9114, 8.1, and RFC 9204, 6. */
export const H3 = {
  NO_ERROR: 0x100,
  GENERAL_PROTOCOL_ERROR: 0x101,
  INTERNAL_ERROR: 0x102,
  STREAM_CREATION_ERROR: 0x103,
  CLOSED_CRITICAL_STREAM: 0x104,
  FRAME_UNEXPECTED: 0x105,
  FRAME_ERROR: 0x106,
  EXCESSIVE_LOAD: 0x107,
  ID_ERROR: 0x108,
  SETTINGS_ERROR: 0x109,
  MISSING_SETTINGS: 0x10a,
  REQUEST_REJECTED: 0x10b,
  REQUEST_CANCELLED: 0x10c,
  REQUEST_INCOMPLETE: 0x10d,
  MESSAGE_ERROR: 0x10e,
  CONNECT_ERROR: 0x10f,
  VERSION_FALLBACK: 0x110,
  QPACK_DECOMPRESSION_FAILED: 0x200,
  QPACK_ENCODER_STREAM_ERROR: 0x201,
  QPACK_DECODER_STREAM_ERROR: 0x202,
} as const;

/** RFC 9000, 20.1: each at the place of its code. */
const TRANSPORT_NAMES = [
  ...['NO_ERROR', 'INTERNAL_ERROR', 'CONNECTION_REFUSED', 'FLOW_CONTROL_ERROR', 'STREAM_LIMIT_ERROR', 'STREAM_STATE_ERROR'],
  ...['FINAL_SIZE_ERROR', 'FRAME_ENCODING_ERROR', 'TRANSPORT_PARAMETER_ERROR', 'CONNECTION_ID_LIMIT_ERROR', 'PROTOCOL_VIOLATION'],
  ...['INVALID_TOKEN', 'APPLICATION_ERROR', 'CRYPTO_BUFFER_EXCEEDED', 'KEY_UPDATE_ERROR', 'AEAD_LIMIT_REACHED', 'NO_VIABLE_PATH'],
];

const MEANINGS = {
  reset: 'the peer reset the stream',
  stopped: 'the peer takes no more of the request',
  closed: 'the peer closed the connection',
  transport: 'QUIC failed',
  violation: 'the peer broke HTTP/3',
  goaway: 'the peer takes no new requests',
  idle: 'the peer was silent for the idle timeout',
  forgotten: 'the peer does not know the connection (stateless reset)',
  cancelled: 'this side cancelled the request',
  ended: 'this side closed the connection',
  killed: 'this side was killed',
} as const;

export type Http3ErrorKind = keyof typeof MEANINGS;

/** How a stream, or the connection below it, ended before it was complete; the message names the code. */
export class Http3Error extends Error {
  override readonly name = 'Http3Error';

  /** @param code of RFC 9000, 20.1, if the kind is `transport`; of HTTP/3 else */
  constructor(
    readonly kind: Http3ErrorKind,
    readonly code?: number,
  ) {
    super(code === undefined ? MEANINGS[kind] : `${MEANINGS[kind]}: ${kind === 'transport' ? transportName(code) : http3Name(code)}`);
  }
}

function http3Name(code: number): string {
  const name = Object.entries(H3).find(([, value]) => value === code)?.[0];
  return `${name ? `H3_${name}`.replace('H3_QPACK', 'QPACK') : 'unknown code'} (0x${code.toString(16)})`;
}

function transportName(code: number): string {
  const name = code >= 0x100 && code <= 0x1ff ? `CRYPTO_ERROR, TLS alert ${code - 0x100}` : (TRANSPORT_NAMES[code] ?? 'unknown code');
  return `${name} (0x${code.toString(16)})`;
}
