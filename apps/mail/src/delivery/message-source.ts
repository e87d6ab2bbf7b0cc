import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

/**
 * The message as a stream that ends only once the socket has passed on all of it. The final dot is written after that
 * end: before it the dot cannot have left, however much of the mail has.
 * @param onEnd called right before the dot may leave
 */
export function messageSource(message: Buffer, socket: Socket, onEnd: () => void): Readable {
  async function* parts() {
    yield message;
    if (await passedOn(socket)) onEnd();
  }
  return Readable.from(parts());
}

async function passedOn(socket: Socket): Promise<boolean> {
  // Asked for more, the message is still to be written: in this turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  while (socket.writable && socket.writableLength > 0) await new Promise<void>((resolve) => socket.write('', () => resolve()));
  return socket.writable;
}
