import type { StoredObject } from '../files/object.store';
import { type OutgoingMessage, outgoingMessage } from './outgoing-message';

export const noFiles = (): never => {
  throw new Error('there is no file to read');
};

/** A message without files. */
export const messageOf = (bytes: Buffer): OutgoingMessage => outgoingMessage(bytes, [], noFiles);

export const objectOf = (size: number, id = '0190a0b0-0000-7000-8000-00000000000f'): StoredObject => ({ id, size, state: {} });

/** These bytes, in pieces of the given sizes over and over. */
export async function* inPieces(bytes: Buffer, ...sizes: number[]): AsyncGenerator<Buffer, void, undefined> {
  for (let from = 0, i = 0; from < bytes.length; i++) {
    const to = from + (sizes[i % sizes.length] ?? bytes.length);
    yield bytes.subarray(from, to);
    from = to;
  }
}

export async function bytesOf(message: OutgoingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message.parts()) parts.push(part);
  return Buffer.concat(parts);
}
