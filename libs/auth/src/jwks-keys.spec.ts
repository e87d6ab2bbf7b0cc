import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { JwksKeys } from './jwks-keys';

const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
const jwk = (key: KeyObject, kid: string | undefined, more: object = {}) => ({ ...key.export({ format: 'jwk' }), kid, ...more });
const first = p256();
const second = p256();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
const es256 = (kid?: string) => ({ alg: 'ES256', kid });

let server: Server;
let answer: (response: ServerResponse) => void;
let requests: number;
let now: number;
let keys: JwksKeys;

const publish = (...set: object[]) => (answer = (response) => response.end(JSON.stringify({ keys: set })));

beforeEach(async () => {
  Logger.overrideLogger(false);
  requests = 0;
  now = 0;
  server = createServer((_request, response) => {
    requests += 1;
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  keys = new JwksKeys(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`, () => now);
});

afterEach(() => {
  server.close();
  server.closeAllConnections();
});

/** Lets a request in the background come to its end. */
const settled = async () => {
  await expect(keys.keyFor(es256('a key that there is not'))).rejects.toThrow();
};
const expectKey = async (header: { alg: string; kid?: string | undefined }, key: KeyObject) =>
  expect((await keys.keyFor(header)).equals(key)).toBe(true);

test('a key is found by its id, with one request for many calls', async () => {
  publish(jwk(first, 'one'), jwk(second, 'two'));
  await Promise.all(Array.from({ length: 50 }, (_, call) => expectKey(es256(call % 2 ? 'one' : 'two'), call % 2 ? first : second)));
  expect(requests).toBe(1);
});

test('without an id, a key is found where one alone can be meant', async () => {
  publish(jwk(first, 'one'), jwk(rsa, 'rsa'));
  await expectKey(es256(), first);
  publish(jwk(first, 'one'), jwk(second, 'two'));
  now += 600_001;
  await expectKey(es256(), first);
  await settled();
  await expect(keys.keyFor(es256())).rejects.toThrow('no key');
});

test('a rotated key is fetched at once, later ones at most once in 30 s', async () => {
  publish(jwk(first, 'one'));
  await expectKey(es256('one'), first);
  publish(jwk(second, 'two'));
  now += 30_000;
  await expectKey(es256('two'), second);
  await expect(keys.keyFor(es256('one'))).rejects.toThrow('no key');
  expect(requests).toBe(2);
});

test('a flood of unknown ids makes one request in 30 s', async () => {
  publish(jwk(first, 'one'));
  await expectKey(es256('one'), first);
  now += 30_000;
  const flood = () => Promise.allSettled(Array.from({ length: 200 }, (_, call) => keys.keyFor(es256(`unknown ${call}`))));
  await flood();
  now += 29_999;
  await flood();
  expect(requests).toBe(2);
  now += 1;
  await flood();
  expect(requests).toBe(3);
  await expectKey(es256('one'), first);
});

test('a set is renewed in the background when it is 10 minutes old', async () => {
  publish(jwk(first, 'one'));
  await expectKey(es256('one'), first);
  publish(jwk(first, 'one'), jwk(second, 'two'));
  now += 600_000;
  await expectKey(es256('one'), first);
  expect(requests).toBe(1);
  now += 1;
  await expectKey(es256('one'), first);
  await settled();
  expect(requests).toBe(2);
  await expectKey(es256('two'), second);
});

test.each<[string, () => void]>([
  ['an error', () => (answer = (response) => response.writeHead(500).end('{"keys":[]}'))],
  ['a redirect', () => (answer = (response) => response.writeHead(302, { location: '/other' }).end())],
  ['a connection that breaks', () => (answer = (response) => response.destroy())],
  ['no JSON', () => (answer = (response) => response.end('<html>'))],
  ['JSON of another kind', () => (answer = (response) => response.end('null'))],
  ['keys that are no list', () => (answer = (response) => response.end('{"keys":{}}'))],
  ['an empty set', () => publish()],
  ['keys of no use', () => publish({}, { kty: 'EC' }, { kty: 'oct', k: 'AAAA', kid: 'one' })],
  ['far too much', () => (answer = (response) => response.end(JSON.stringify({ keys: [jwk(second, 'one'), 'x'.repeat(300_000)] })))],
])('the last good keys stay when the answer is %s, and are renewed when it is good again', async (_case, fail) => {
  publish(jwk(first, 'one'));
  await expectKey(es256('one'), first);
  fail();
  now += 86_400_000;
  await expectKey(es256('one'), first);
  await settled();
  await expectKey(es256('one'), first);
  publish(jwk(second, 'two'));
  now += 30_000;
  await expectKey(es256('two'), second);
});

test('keys that were never had are the fault of the issuer, and are asked for again after a second', async () => {
  answer = (response) => response.destroy();
  await expect(keys.keyFor(es256('one'))).rejects.toMatchObject({ reason: 'SERVICE_UNAVAILABLE' });
  await expect(keys.keyFor(es256('one'))).rejects.toMatchObject({ reason: 'SERVICE_UNAVAILABLE' });
  const asked = requests;
  publish(jwk(first, 'one'));
  now += 1000;
  await expectKey(es256('one'), first);
  expect(requests).toBe(asked + 1);
});

test.each(['none', 'HS256', 'ES384', 'EdDSA', '__proto__'])('an algorithm that is not accepted asks for no key: %s', async (alg) => {
  publish(jwk(first, 'one'));
  await expect(keys.keyFor({ alg, kid: 'one' })).rejects.toThrow('algorithm');
  expect(requests).toBe(0);
});

test.each<[string, object]>([
  ['is for encryption', jwk(second, 'other', { use: 'enc' })],
  ['does not verify', jwk(second, 'other', { key_ops: ['deriveKey'] })],
  ['is for another algorithm', jwk(second, 'other', { alg: 'ES384' })],
  ['is of another curve', jwk(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey, 'other')],
  ['is too weak', jwk(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey, 'other')],
])('a key is left out if it %s', async (_case, key) => {
  publish(jwk(first, 'one'), key);
  for (const alg of ['ES256', 'RS256', 'PS256']) await expect(keys.keyFor({ alg, kid: 'other' })).rejects.toThrow('no key');
  await expectKey(es256('one'), first);
});

test('a key with an algorithm verifies no other', async () => {
  publish(jwk(rsa, 'rsa', { alg: 'RS256', use: 'sig', key_ops: ['verify'] }));
  await expectKey({ alg: 'RS256', kid: 'rsa' }, rsa);
  await expect(keys.keyFor({ alg: 'PS256', kid: 'rsa' })).rejects.toThrow('no key');
});
