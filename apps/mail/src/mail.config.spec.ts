import { ConfigError } from '@sky-genesis/config';
import { TestAuthority } from '../../../test/test-authority';
import { readMailConfig } from './mail.config';

const NEEDED = {
  DATABASE_URL: 'postgres://user:password@127.0.0.1:5432/mail',
  AUTH_SECRET: 'x'.repeat(32),
  AUTH_ISSUER: 'https://issuer.example',
  AUTH_AUDIENCE: 'sky-genesis',
};
const read = (over: Record<string, string> = {}) => readMailConfig({ ...NEEDED, ...over });

const faults = (environment: Record<string, string>): readonly string[] => {
  try {
    readMailConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
};
const names = (environment: Record<string, string>) => [...new Set(faults(environment).map((fault) => fault.split(':')[0]))].sort();

test('what is needed gives the defaults', () => {
  expect(read()).toMatchObject({
    GRPC_HOST: '127.0.0.1',
    GRPC_PORT: 50_051,
    HEALTH_PORT: 3001,
    GRPC_ALLOW_ANONYMOUS: false,
    MAIL_RELAY_URL: 'smtp://127.0.0.1:2525',
    MAIL_RELAY_REQUIRE_TLS: false,
    MAIL_EXPIRY_SECONDS: 259_200,
    MAIL_ON_UNCERTAIN: 'resend',
    GRPC_MAX_MESSAGE_SIZE: 4_194_304,
    GRPC_TIMEOUT: 30,
  });
});

test('what is missing is named, all of it', () => {
  expect(names({})).toEqual(['AUTH_AUDIENCE', 'AUTH_ISSUER', 'AUTH_SECRET', 'DATABASE_URL']);
});

test('every fault is told at once, each by the name of its variable', () => {
  const environment = {
    NODE_ENV: 'staging',
    GRPC_HOST: '0.0.0.0',
    GRPC_PORT: '0',
    HEALTH_PORT: '65536',
    GRPC_ALLOW_ANONYMOUS: 'true',
    DATABASE_URL: 'mysql://127.0.0.1/mail',
    MAIL_RELAY_URL: 'http://relay.example',
    MAIL_RELAY_CONNECTIONS: 'ten',
    MAIL_RELAY_CA: 'no certificate',
    MAIL_RETURN_PATH: 'Bounces <bounces@example.com>',
    MAIL_ON_UNCERTAIN: 'guess',
    MAIL_MAX_RECIPIENTS: '1e3',
    AUTH_SECRET: 'short',
  };
  expect(names(environment)).toEqual(
    [...Object.keys(environment).filter((name) => name !== 'GRPC_HOST'), 'AUTH_AUDIENCE', 'AUTH_ISSUER'].sort(),
  );
});

test('no fault tells a secret', () => {
  const told = faults({
    ...NEEDED,
    MAIL_RELAY_URL: 'smtp://user:hunter2@',
    DATABASE_URL: 'postgres//user:hunter2@host',
    AUTH_SECRET: 'hunter2',
  });
  expect(told).toHaveLength(3);
  expect(told.join()).not.toContain('hunter2');
});

test.each([
  'nonsense',
  'relay.example:25',
  'smtp://',
  'smtps://:25',
  'http://relay.example',
  'smtp://relay:70000',
  'smtp://user:100%@relay.example',
  'smtp://a.example smtp://b.example?rate=0',
])('MAIL_RELAY_URL=%s is refused', (url) => {
  expect(names({ ...NEEDED, MAIL_RELAY_URL: url })).toEqual(['MAIL_RELAY_URL']);
});

test.each([
  'smtp://127.0.0.1:2525',
  'smtp://relay.example',
  'smtps://relay.example:465',
  'smtp://[::1]:2525',
  'smtp://us%40er:p%3Aw%25@relay.example:587',
  'smtp://a.example?connections=2&rate=50 smtps://b.example',
])('MAIL_RELAY_URL=%s is taken', (url) => {
  expect(read({ MAIL_RELAY_URL: url }).MAIL_RELAY_URL).toBe(url);
});

describe('calls without a token', () => {
  test.each(['127.0.0.1', '127.0.0.53', 'localhost', '::1'])('may be allowed on %s', (host) => {
    expect(read({ GRPC_ALLOW_ANONYMOUS: 'true', GRPC_HOST: host }).GRPC_ALLOW_ANONYMOUS).toBe(true);
  });

  test.each(['0.0.0.0', '::', '10.0.0.1', 'mail.example', '127.0.0.1.example', 'localhost.example', '1270.0.0.1'])(
    'are refused on %s',
    (host) => {
      expect(names({ ...NEEDED, GRPC_ALLOW_ANONYMOUS: 'true', GRPC_HOST: host })).toEqual(['GRPC_ALLOW_ANONYMOUS']);
      expect(read({ GRPC_HOST: host }).GRPC_ALLOW_ANONYMOUS).toBe(false);
    },
  );

  test('are refused in production', () => {
    expect(names({ ...NEEDED, GRPC_ALLOW_ANONYMOUS: 'true', NODE_ENV: 'production' })).toEqual(['GRPC_ALLOW_ANONYMOUS']);
  });
});

test('the return path is a bare address', () => {
  expect(read({ MAIL_RETURN_PATH: 'bounces@example.com' }).MAIL_RETURN_PATH).toBe('bounces@example.com');
  for (const path of ['bounces', '<bounces@example.com>', 'a@b>\r\nRCPT TO:<c@d', 'a@example.com ']) {
    expect(names({ ...NEEDED, MAIL_RETURN_PATH: path })).toEqual(['MAIL_RETURN_PATH']);
  }
});

test('authorities of the relay are certificates', () => {
  const { certificate } = new TestAuthority();
  expect(read({ MAIL_RELAY_CA: certificate + certificate }).MAIL_RELAY_CA).toBe(certificate + certificate);
});

test('search is told of mails with a key of services only, unless that is left to others', () => {
  const address = { GRPC_SEARCH_SERVICE_ADDR: 'search:50052' };
  expect(names({ ...NEEDED, ...address })).toEqual(['SERVICE_KEY']);
  expect(read({ ...address, SEARCH_FEED: 'false' })).toMatchObject({ SEARCH_FEED: false });
  expect(read({ GRPC_SEARCH_SERVICE_ADDR: '' }).GRPC_SEARCH_SERVICE_ADDR).toBeUndefined();
  expect(names({ ...NEEDED, GRPC_SEARCH_SERVICE_ADDR: 'a b' })).toContain('GRPC_SEARCH_SERVICE_ADDR');
});
