import { Http3Error } from './http3-error';

test.each([
  ['the peer reset the stream: H3_REQUEST_CANCELLED (0x10c)', new Http3Error('reset', 0x10c)],
  ['the peer broke HTTP/3: QPACK_DECOMPRESSION_FAILED (0x200)', new Http3Error('violation', 0x200)],
  ['the peer takes no more of the request: unknown code (0x7)', new Http3Error('stopped', 0x7)],
  ['QUIC failed: PROTOCOL_VIOLATION (0xa)', new Http3Error('transport', 0xa)],
  ['QUIC failed: CRYPTO_ERROR, TLS alert 48 (0x130)', new Http3Error('transport', 0x130)],
  ['the peer was silent for the idle timeout', new Http3Error('idle')],
])('%s', (message, error) => expect(error.message).toBe(message));
