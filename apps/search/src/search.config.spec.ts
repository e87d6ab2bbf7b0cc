import { ConfigError } from '@sky-genesis/config';
import { readSearchConfig } from './search.config';

const KEY = Buffer.alloc(32, 7).toString('base64url');
const GIVEN = {
  AUTH_SECRET: 'only-for-tests-only-for-tests-0000',
  AUTH_ISSUER: 'test',
  AUTH_AUDIENCE: 'sge',
  SEARCH_DATABASE_URL: 'postgres://localhost/search',
};

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    readSearchConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

test('what has a default need not be given', () => {
  expect(readSearchConfig(GIVEN)).toMatchObject({
    GRPC_PORT: 50_052,
    HEALTH_PORT: 3002,
    GRPC_MAIL_SERVICE_ADDR: 'localhost:50051',
    PAGE_TOKEN_SECONDS: 300,
  });
});

test('one of the engines must be configured, either will do', () => {
  const { SEARCH_DATABASE_URL, ...rest } = GIVEN;
  expect(faultsOf(rest)).toEqual([expect.stringContaining('SEARCH_DATABASE_URL: or ELASTICSEARCH_URL must be set')]);
  expect(faultsOf({ ...rest, ELASTICSEARCH_URL: 'http://localhost:9200' })).toEqual([]);
  expect(faultsOf({ ...rest, SEARCH_DATABASE_URL })).toEqual([]);
});

test('PAGE_TOKEN_KEY is 32 bytes; production needs one, elsewhere each process makes its own', () => {
  const own = readSearchConfig(GIVEN).PAGE_TOKEN_KEY;
  expect(Buffer.from(own, 'base64url')).toHaveLength(32);
  expect(readSearchConfig(GIVEN).PAGE_TOKEN_KEY).not.toBe(own);
  expect(readSearchConfig({ ...GIVEN, PAGE_TOKEN_KEY: KEY }).PAGE_TOKEN_KEY).toBe(KEY);
  for (const wrong of ['short', KEY.slice(1), `${KEY}A`, Buffer.alloc(31).toString('base64url')]) {
    expect(faultsOf({ ...GIVEN, PAGE_TOKEN_KEY: wrong })).toEqual(['PAGE_TOKEN_KEY: must be 32 random bytes as base64url']);
  }
  expect(faultsOf({ ...GIVEN, NODE_ENV: 'production' })).toEqual(['PAGE_TOKEN_KEY: is required with NODE_ENV=production']);
  expect(faultsOf({ ...GIVEN, NODE_ENV: 'production', PAGE_TOKEN_KEY: KEY })).toEqual([]);
});

test('callers without a token are for loopback and for trying', () => {
  expect(faultsOf({ ...GIVEN, GRPC_ALLOW_ANONYMOUS: 'true' })).toEqual([]);
  expect(faultsOf({ ...GIVEN, GRPC_ALLOW_ANONYMOUS: 'true', GRPC_HOST: '0.0.0.0', NODE_ENV: 'production', PAGE_TOKEN_KEY: KEY })).toEqual([
    'GRPC_ALLOW_ANONYMOUS: is refused with NODE_ENV=production',
    'GRPC_ALLOW_ANONYMOUS: is refused on 0.0.0.0, which is not a loopback address',
  ]);
});
