/** Node and the parser of forms give a header byte by byte; clients that write names in it as they are mean UTF-8. */
export function asUtf8(bytes: string): string {
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return bytes;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
