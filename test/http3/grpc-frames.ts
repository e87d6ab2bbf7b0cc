/** gRPC's length-prefixed messages: 1 byte, 1 for compressed, and 4 for the length. */
const PREFIX_BYTES = 5;

export function encodeGrpcMessage(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/**
 * The messages of a body, each as soon as it is whole; takes no more of the body than that needs.
 * @param maxBytes of a message; 4 MiB by default, as gRPC's clients have it
 * @throws Error for a longer one, a compressed one, and a body that ends in the middle of one
 */
export async function* decodeGrpcMessages(body: AsyncIterable<Buffer>, maxBytes = 4 * 1024 * 1024): AsyncGenerator<Buffer, void> {
  let pieces: Buffer[] = [];
  let length = 0;
  let needed = PREFIX_BYTES;
  for await (const piece of body) {
    pieces.push(piece);
    length += piece.length;
    while (length >= needed) {
      const bytes = Buffer.concat(pieces);
      const end = PREFIX_BYTES + bytes.readUInt32BE(1);
      if (bytes[0] !== 0) throw new Error('a compressed gRPC message: none was asked for');
      if (end - PREFIX_BYTES > maxBytes) throw new Error(`a gRPC message of ${end - PREFIX_BYTES} bytes: more than ${maxBytes}`);
      pieces = [bytes];
      needed = end;
      if (length < end) break;
      yield bytes.subarray(PREFIX_BYTES, end);
      pieces = [bytes.subarray(end)];
      length -= end;
      needed = PREFIX_BYTES;
    }
  }
  if (length > 0) throw new Error(`the body ends ${needed - length} bytes before its gRPC message does`);
}
