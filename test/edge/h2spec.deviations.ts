/**
 * Where nginx does otherwise than h2spec expects, by section and name. All are nginx's own: with its defaults in the place of ours
 * it is the same, but for the first of `window`.
 */
export const deviations: Record<string, readonly string[]> = {
  // A malformed request is answered 400, which a server may do before it ends the stream (RFC 9113, 8.1.1).
  answered: [
    'http2/8.1.2 Sends a HEADERS frame that contains the header field name in uppercase letters',
    'http2/8.1.2.1 Sends a HEADERS frame that contains a unknown pseudo-header field',
    'http2/8.1.2.1 Sends a HEADERS frame that contains the pseudo-header field defined for response',
    'http2/8.1.2.3 Sends a HEADERS frame with empty ":path" pseudo-header field',
    'http2/8.1.2.3 Sends a HEADERS frame that omits ":method" pseudo-header field',
    'http2/8.1.2.3 Sends a HEADERS frame that omits ":scheme" pseudo-header field',
    'http2/8.1.2.3 Sends a HEADERS frame that omits ":path" pseudo-header field',
    'http2/8.1.2.3 Sends a HEADERS frame with duplicated ":method" pseudo-header field',
    'http2/8.1.2.3 Sends a HEADERS frame with duplicated ":scheme" pseudo-header field',
    'http2/8.1.2.3 Sends a HEADERS frame with duplicated ":path" pseudo-header field',
    'http2/8.1.2.6 Sends a HEADERS frame with the "content-length" header field which does not equal the DATA frame payload length',
    'http2/8.1.2.6 Sends a HEADERS frame with the "content-length" header field which does not equal the sum of the multiple DATA frames payload length',
  ],
  // Taken as if it was right: the header ends here, and the order of the others means nothing on HTTP/1.1 and gRPC behind.
  taken: [
    'http2/8.1.2.1 Sends a HEADERS frame that contains a pseudo-header field that appears in a header block after a regular header field',
    'http2/8.1.2.2 Sends a HEADERS frame that contains the connection-specific header field',
    'http2/8.1.2.2 Sends a HEADERS frame that contains the TE header field with any value other than "trailers"',
    'hpack/4.2 Sends a dynamic table size update at the end of header block',
    'hpack/5.2 Sends a Huffman-encoded string literal representation with padding longer than 7 bits',
  ],
  // Frames of streams that are not open are dropped without a word.
  dropped: [
    'http2/5.1 idle: Sends a DATA frame',
    'http2/5.1 idle: Sends a RST_STREAM frame',
    'http2/5.1 idle: Sends a WINDOW_UPDATE frame',
    'http2/5.1 closed: Sends a DATA frame after sending RST_STREAM frame',
    'http2/5.1 closed: Sends a DATA frame',
    'http2/6.4 Sends a RST_STREAM frame on a idle stream',
  ],
  // nginx announces frames of 2^24 - 1 bytes, and h2spec sends as large ones: more than the window, or what is not too large then.
  window: [
    'http2/4.2 Sends a DATA frame with 2^14 octets in length',
    'http2/4.2 Sends a large size DATA frame that exceeds the SETTINGS_MAX_FRAME_SIZE',
    'http2/4.2 Sends a large size HEADERS frame that exceeds the SETTINGS_MAX_FRAME_SIZE',
  ],
  // nginx takes no trailers of a request: they end the connection. gRPC has none; on REST nothing reads them.
  trailers: ['generic/4 Sends a POST request with trailers'],
};
