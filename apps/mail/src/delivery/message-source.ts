import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

/**
 * The message as a stream that ends only once the socket has passed on all of it, and then only if `beforeDot` allows
 * it. The final dot is written after that end: before it the dot cannot have left, however much of the mail has.
 * @param beforeDot resolves when the dot may leave; rejects when it may not: then it never does
 * @param onDot called right before the dot may leave; not for a connection that is gone by then
 */
export function messageSource(message: Buffer, socket: Socket, beforeDot: () => Promise<void>, onDot: () => void): Readable {
  async function* parts() {
    yield message;
    if (!(await passedOn(socket))) return;
    await beforeDot();
    // What the relay did meanwhile is known one turn of the event loop later.
    await nextTurn();
    if (socket.writable) onDot();
  }
  return Readable.from(parts());
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function passedOn(socket: Socket): Promise<boolean> {
  // Asked for more, the message is still to be written: in this turn of the event loop.
  await nextTurn();
  while (socket.writable && socket.writableLength > 0) await new Promise<void>((resolve) => socket.write('', () => resolve()));
  return socket.writable;
}
