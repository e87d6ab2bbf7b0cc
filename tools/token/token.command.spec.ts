import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TokenVerifier } from '@sky-genesis/auth';
import { readFileSync } from 'node:fs';
import { makeSecrets } from '../stack/secrets';
import { tokenCommand } from './token.command';

const folder = mkdtempSync(join(tmpdir(), 'token-'));
const environment = { SGE_DATA_DIR: folder };
const needed = ['--sub', 'tester', '--scope', 'mail.send mail.read'];

beforeAll(() => {
  mkdirSync(join(folder, 'secrets'));
  makeSecrets(join(folder, 'secrets'));
});

afterAll(() => rmSync(folder, { recursive: true }));

const verifier = (secret: string, issuer = 'sge-local'): TokenVerifier =>
  new TokenVerifier({ AUTH_SECRET: secret, AUTH_ISSUER: issuer, AUTH_AUDIENCE: 'sge', AUTH_TENANT_REQUIRED: false, NODE_ENV: 'test' });

test('the stack accepts it', async () => {
  const token = tokenCommand([...needed, '--tenant', 'acme', '--senders', 'a@example.com, *@example.com'], environment);
  expect(await verifier(readFileSync(join(folder, 'secrets', 'auth-secret'), 'utf8')).verify(token)).toEqual({
    subject: 'tester',
    tenant: 'acme',
    scopes: new Set(['mail.send', 'mail.read']),
    senders: ['a@example.com', '*@example.com'],
    expiresAt: expect.any(Number),
  });
});

test('a secret and an issuer that are set are used', async () => {
  const secret = 's'.repeat(32);
  const token = tokenCommand(needed, { AUTH_SECRET: secret, AUTH_ISSUER: 'mine' });
  expect(await verifier(secret, 'mine').verify(token)).toMatchObject({ tenant: '~tester' });
});

test('it is good for an hour, or as long as asked for', () => {
  const lifeOf = (token: string): number => {
    const { exp, iat } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp: number; iat: number };
    return exp - iat;
  };
  expect(lifeOf(tokenCommand(needed, environment))).toBe(3600);
  expect(lifeOf(tokenCommand([...needed, '--expires', '2d'], environment))).toBe(172_800);
});

test('help needs nothing else', () => {
  expect(tokenCommand(['--help'], {})).toContain('mail.send mail.read');
});

test.each([
  ['no subject', ['--scope', 'mail.send'], '--sub'],
  ['no scope', ['--sub', 'tester'], '--scope'],
  ['a scope that is none', ['--sub', 'tester', '--scope', 'mail.send mail.delete'], 'no mail.delete'],
  ['a time without a unit', [...needed, '--expires', '60'], '--expires'],
  ['no time', [...needed, '--expires', '0h'], '--expires'],
  ['a time too long', [...needed, '--expires', '999d'], '--expires'],
  ['a sender that is none', [...needed, '--senders', 'nobody'], '--senders'],
  ['a tenant that is none', [...needed, '--tenant', 'a b'], '--tenant'],
  ['an option that is none', [...needed, '--user', 'x'], '--user'],
])('%s is told', (_name, args, told) => {
  expect(() => tokenCommand(args, environment)).toThrow(told);
});

test('without a stack there is nothing to sign with', () => {
  expect(() => tokenCommand(needed, { SGE_DATA_DIR: join(folder, 'none') })).toThrow('npm start');
  expect(() => tokenCommand(needed, { AUTH_JWKS_URI: 'https://issuer.example.com/keys' })).toThrow('AUTH_JWKS_URI');
});
