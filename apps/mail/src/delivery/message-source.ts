import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

/**
 * The message as a stream that ends only once the socket has passed on all of it, and then only if `beforeDot` allows
 * it. The final dot is written after that end: before it the dot cannot have left, however much of the mail has. A part
 * is taken once the one before it was passed on: what a slow relay holds in memory is a part, not the message.
 * @param beforeDot resolves when the dot may leave; rejects when it may not: then it never does
 * @param onDot called right before the dot may leave; not for a connection that is gone by then
 */
export function messageSource(
  parts: AsyncIterable<Buffer>,
  socket: Pick<Socket, 'writable' | 'writableLength' | 'write'>,
  beforeDot: () => Promise<void>,
  onDot: () => void,
): Readable {
  async function* source() {
    for await (const part of parts) {
      yield part;
      if (!(await passedOn(socket))) return;
    }
    await beforeDot();
    // What the relay did meanwhile is known one turn of the event loop later.
    await nextTurn();
    if (socket.writable) onDot();
  }
  return Readable.from(source());
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function passedOn(socket: Parameters<typeof messageSource>[1]): Promise<boolean> {
  // Asked for more, the part is still to be written: in this turn of the event loop, since nothing is before it.
  await nextTurn();
  while (socket.writable && socket.writableLength > 0) await new Promise<void>((resolve) => socket.write('', () => resolve()));
  return socket.writable;
}
