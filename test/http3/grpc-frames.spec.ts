import { decodeGrpcMessages, encodeGrpcMessage } from './grpc-frames';
import { Pieces } from './pieces.fixture';

async function decode(bytes: Buffer, size: number, maxBytes?: number): Promise<string[]> {
  const messages: string[] = [];
  for await (const message of decodeGrpcMessages(new Pieces(bytes, size), maxBytes)) messages.push(message.toString());
  return messages;
}

const TEXTS = ['one', '', 'three'.repeat(100), ''];
const BODY = Buffer.concat(TEXTS.map((text) => encodeGrpcMessage(Buffer.from(text))));

test('a message has its length before it', () => {
  expect(encodeGrpcMessage(Buffer.from('hi')).toString('hex')).toBe('00000000026869');
});

test.each([1, 4, 5, 6, 100, 10_000])('messages come out of pieces of %d bytes as they were', async (size) => {
  expect(await decode(BODY, size)).toEqual(TEXTS);
});

test('a message comes before the next one is there', async () => {
  const pieces = new Pieces(BODY, 8);
  expect((await decodeGrpcMessages(pieces).next()).value).toEqual(Buffer.from('one'));
  expect(pieces.taken).toBe(8);
});

test('a message as long as the bound is taken, a longer one refused before it is there', async () => {
  expect(await decode(encodeGrpcMessage(Buffer.from('12345')), 3, 5)).toEqual(['12345']);
  await expect(decode(encodeGrpcMessage(Buffer.from('123456')).subarray(0, 5), 3, 5)).rejects.toThrow('6 bytes: more than 5');
});

test('a compressed message is refused', async () => {
  await expect(decode(Buffer.from('010000000100', 'hex'), 6)).rejects.toThrow('compressed');
});

test.each([
  [3, 2],
  [6, 1],
])('a body that ends after %d bytes of a message is told to lack %d', async (bytes, lacks) => {
  await expect(decode(encodeGrpcMessage(Buffer.from('12')).subarray(0, bytes), 1)).rejects.toThrow(`ends ${lacks} bytes before`);
});
