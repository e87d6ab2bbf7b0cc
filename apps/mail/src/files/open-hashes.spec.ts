import { createHash } from 'node:crypto';
import { OpenHashes } from './open-hashes';

const running = (text: string) => ({ hash: createHash('sha256').update(text), bytes: text.length });
const hex = (hashes: OpenHashes, id: string, bytes: number) => hashes.take(id, bytes)?.hash.digest('hex');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

test('who goes on where an upload was left gets its hash, once', () => {
  const hashes = new OpenHashes();
  hashes.keep('a', running('hello'));
  expect(hex(hashes, 'a', 5)).toBe(sha256('hello'));
  expect(hashes.take('a', 5)).toBeUndefined();
});

test('of another number of bytes it is no hash: it is made of what is stored', () => {
  const hashes = new OpenHashes();
  hashes.keep('a', running('hello'));
  expect(hashes.take('a', 4)).toBeUndefined();
  expect(hashes.take('a', 5)).toBeUndefined();
});

test('a beginning needs none', () => {
  const hashes = new OpenHashes();
  hashes.keep('a', running('what was dropped'));
  expect(hex(hashes, 'a', 0)).toBe(sha256(''));
});

test('of many the oldest is forgotten', () => {
  const hashes = new OpenHashes();
  for (let i = 0; i <= 4096; i++) hashes.keep(String(i), running('x'));
  expect(hashes.take('0', 1)).toBeUndefined();
  expect(hashes.take('1', 1)).toBeDefined();
});
