import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { type JWTPayload, SignJWT } from 'jose';
import { ServiceTokens } from './service-tokens';

const pair = generateKeyPairSync('ed25519');
const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const refused = { reason: 'UNAUTHENTICATED', message: 'No valid auth token' };
const now = () => Math.floor(Date.now() / 1000);
const sign = (claims: JWTPayload, key: KeyObject = pair.privateKey, alg = 'EdDSA') =>
  new SignJWT({ iss: 'sge', aud: 'sge-services', sub: 'mail', iat: now(), exp: now() + 60, ...claims })
    .setProtectedHeader({ alg })
    .sign(key);

let tokens: ServiceTokens;

beforeAll(() => Logger.overrideLogger(false));
beforeEach(() => (tokens = new ServiceTokens(pem(pair.privateKey))));
afterEach(() => jest.useRealTimers());

test('a token names the service that it was issued to, to every service with the key', async () => {
  const token = await tokens.issue('api-gateway');
  expect(await tokens.verify(token)).toBe('api-gateway');
  expect(await new ServiceTokens(pem(pair.privateKey)).verify(token)).toBe('api-gateway');
});

test('a token is issued anew at half its life, and refused after its end even if it was seen before', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  const first = await tokens.issue('mail');
  expect(await tokens.verify(first)).toBe('mail');
  jest.advanceTimersByTime(29_000);
  expect(await tokens.issue('mail')).toBe(first);
  jest.advanceTimersByTime(2000);
  const second = await tokens.issue('mail');
  expect(second).not.toBe(first);
  jest.advanceTimersByTime(36_000);
  await expect(tokens.verify(first)).rejects.toMatchObject(refused);
  expect(await tokens.verify(second)).toBe('mail');
});

test('without a key none is issued and none accepted', async () => {
  const none = new ServiceTokens(undefined);
  expect(none.issue('mail')).toBeUndefined();
  await expect(none.verify(await tokens.issue('mail'))).rejects.toMatchObject(refused);
});

test('a token signed as it should be is taken', async () => {
  expect(await tokens.verify(await sign({}))).toBe('mail');
});

test.each<[string, () => Promise<string | undefined> | string | undefined]>([
  ['none', () => undefined],
  ['garbage', () => 'a.b.c'],
  ['too long', () => 'a'.repeat(8193)],
  ['of another key', () => sign({}, generateKeyPairSync('ed25519').privateKey)],
  ['of another issuer', () => sign({ iss: 'other' })],
  ['for another audience', () => sign({ aud: 'sge' })],
  ['expired', () => sign({ iat: now() - 60, exp: now() - 10 })],
  ['without exp', () => sign({ exp: undefined })],
  ['without iat', () => sign({ iat: undefined })],
  ['that lives too long', () => sign({ iat: now() - 70, exp: now() + 3600 })],
  ['without a service', () => sign({ sub: undefined })],
  ['with an odd service', () => sign({ sub: 'a b' })],
  ['unsigned', async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await sign({})).split('.')[1]}.`],
  ['with another name of the algorithm', () => sign({}, pair.privateKey, 'Ed25519')],
  ['signed with the public key as a secret', keyConfusion],
])('a bad token is refused: %s', async (_fault, make) => {
  await expect(tokens.verify(await make())).rejects.toMatchObject(refused);
});

async function keyConfusion(): Promise<string> {
  const [, claims] = (await sign({})).split('.');
  const signed = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${claims}`;
  const secret = pair.publicKey.export({ type: 'spki', format: 'pem' });
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
