import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { type ConfigError, describeSettings, type Environment, port, readConfig } from '@sky-genesis/config';
import { z } from 'zod';
import { authRules, authSettings } from './auth.settings';
import { TokenVerifier } from './token-verifier';
import { issueToken } from './issue-token';

const schema = z.object({ PORT: port(3000), NODE_ENV: z.string().default('development'), ...authSettings }).check(authRules);
const base = { AUTH_ISSUER: 'i', AUTH_AUDIENCE: 'a' };
const secret = { ...base, AUTH_SECRET: 's'.repeat(32) };
const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
const pkcs8 = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');

const faultsOf = (environment: Environment): readonly string[] => {
  try {
    readConfig(schema, environment);
    return [];
  } catch (error) {
    return (error as ConfigError).faults;
  }
};

beforeAll(() => Logger.overrideLogger(false));
test.each([
  secret,
  { ...base, AUTH_JWKS_URI: 'https://issuer.test/keys' },
  { ...base, AUTH_PUBLIC_KEY: spki(rsa.publicKey) },
  { ...base, AUTH_PUBLIC_KEY: spki(ec.publicKey).replaceAll('\n', '\\n') },
  { ...secret, SERVICE_KEY: pkcs8(ed.privateKey) },
])('is taken: %j', (environment) => {
  expect(faultsOf(environment)).toEqual([]);
});

test.each<[string, Environment]>([
  ['AUTH_SECRET: exactly one of', base],
  ['AUTH_JWKS_URI: exactly one of', { ...secret, AUTH_JWKS_URI: 'https://issuer.test/keys' }],
  ['AUTH_PUBLIC_KEY: exactly one of', { ...secret, AUTH_PUBLIC_KEY: spki(rsa.publicKey) }],
  ['AUTH_SECRET: must be 32', { ...base, AUTH_SECRET: 's'.repeat(31) }],
  ['AUTH_SECRET: must be 32', { ...base, AUTH_SECRET: spki(rsa.publicKey) }],
  ['AUTH_JWKS_URI: must be', { ...base, AUTH_JWKS_URI: 'ftp://issuer.test/' }],
  ['AUTH_JWKS_URI: must be', { ...base, AUTH_JWKS_URI: 'https://user:word@issuer.test/' }],
  ['AUTH_PUBLIC_KEY: must be', { ...base, AUTH_PUBLIC_KEY: 'text' }],
  ['AUTH_PUBLIC_KEY: must be', { ...base, AUTH_PUBLIC_KEY: pkcs8(rsa.privateKey) }],
  ['AUTH_PUBLIC_KEY: must be', { ...base, AUTH_PUBLIC_KEY: spki(ed.publicKey) }],
  ['AUTH_PUBLIC_KEY: must be', { ...base, AUTH_PUBLIC_KEY: spki(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey) }],
  ['AUTH_PUBLIC_KEY: must be', { ...base, AUTH_PUBLIC_KEY: spki(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey) }],
  ['SERVICE_KEY: must be', { ...secret, SERVICE_KEY: pkcs8(rsa.privateKey) }],
  ['SERVICE_KEY: must be', { ...secret, SERVICE_KEY: spki(ed.publicKey) }],
  ['AUTH_TENANT_REQUIRED: ', { ...secret, AUTH_TENANT_REQUIRED: 'perhaps' }],
])('is a fault: %s', (fault, environment) => {
  expect(faultsOf(environment)).toEqual([expect.stringContaining(fault)]);
});

test('issuer and audience have no default; all faults are reported together', () => {
  const names = faultsOf({ PORT: 'x', AUTH_SECRET: 'short', AUTH_JWKS_URI: 'x' }).map((fault) => fault.split(':')[0]);
  expect(names.sort()).toEqual(['AUTH_AUDIENCE', 'AUTH_ISSUER', 'AUTH_JWKS_URI', 'AUTH_JWKS_URI', 'AUTH_SECRET', 'PORT']);
});

test('no fault tells a secret', () => {
  expect(faultsOf({ ...base, AUTH_SECRET: 'hunter2', SERVICE_KEY: 'hunter2' }).join()).not.toContain('hunter2');
});

test('keys may come from files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'auth-'));
  const file = join(folder, 'key.pem');
  writeFileSync(file, spki(rsa.publicKey));
  expect(faultsOf({ ...base, AUTH_PUBLIC_KEY_FILE: file })).toEqual([]);
  rmSync(folder, { recursive: true });
});

test('every setting is described', () => {
  expect(describeSettings(schema).filter(({ name, description }) => name in authSettings && description === '')).toEqual([]);
});

test.each([
  ['production', undefined, true],
  ['production', 'false', false],
  ['development', undefined, false],
  ['development', 'true', true],
])('NODE_ENV=%s, AUTH_TENANT_REQUIRED=%s: a tenant is required: %s', async (NODE_ENV, AUTH_TENANT_REQUIRED, required) => {
  const config = readConfig(schema, { ...secret, NODE_ENV, AUTH_TENANT_REQUIRED });
  const verified = new TokenVerifier(config).verify(issueToken(config, { sub: 'ann' }, 60)).then(
    ({ tenant }) => tenant,
    ({ reason }) => reason,
  );
  expect(await verified).toBe(required ? 'UNAUTHENTICATED' : '~ann');
});
