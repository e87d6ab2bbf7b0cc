import { type ConfigError, optional, readConfig } from '@sky-genesis/config';
import { z } from 'zod';
import {
  advertisedAddress,
  discoveryRules,
  etcdEndpoint,
  etcdSettings,
  isServiceAddress,
  registrationSettings,
} from './discovery.settings';

const schema = z
  .object({
    GRPC_HOST: z.string().default('127.0.0.1'),
    GRPC_PORT: z.coerce.number().default(50_051),
    GRPC_MAIL_SERVICE_ADDR: optional().check(isServiceAddress),
    ...etcdSettings,
    ...registrationSettings,
  })
  .check(discoveryRules);

const read = (environment: Record<string, string>) => readConfig(schema, environment);

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    read(environment);
    return [];
  } catch (error) {
    return (error as ConfigError).faults;
  }
}

test('without settings there is no etcd', () => {
  expect(read({})).toMatchObject({ ETCD_ENDPOINTS: [], ETCD_LEASE_SECONDS: 10 });
});

test('a whole set-up has no fault', () => {
  const environment = {
    ETCD_ENDPOINTS: 'https://etcd-0:2379,etcd-1:2379/,http://[::1]:2379',
    ETCD_TLS_CA: __filename,
    ETCD_TLS_CERT: __filename,
    ETCD_TLS_KEY: __filename,
    ETCD_USERNAME: 'sge',
    ETCD_PASSWORD_FILE: __filename,
    GRPC_MAIL_SERVICE_ADDR: 'etcd:///mail',
    GRPC_HOST: '0.0.0.0',
    GRPC_ADVERTISED_ADDR: '10.0.0.7:50051',
    SERVICE_INSTANCE: 'mail-7',
  };
  expect(faultsOf(environment)).toEqual([]);
});

test.each([
  ['an endpoint without a port', { ETCD_ENDPOINTS: 'http://etcd' }, ['ETCD_ENDPOINTS: etcd is not host:port']],
  [
    'an endpoint of another kind',
    { ETCD_ENDPOINTS: 'unix://x:1' },
    ['ETCD_ENDPOINTS: unix://x:1: unix:// is neither http:// nor https://'],
  ],
  ['a file that is not there', { ETCD_TLS_CA: '/nowhere' }, ["ETCD_TLS_CA: ENOENT: no such file or directory, access '/nowhere'"]],
  ['a certificate alone', { ETCD_TLS_CERT: __filename }, ['ETCD_TLS_KEY: is needed with ETCD_TLS_CERT']],
  ['a key alone', { ETCD_TLS_KEY: __filename }, ['ETCD_TLS_CERT: is needed with ETCD_TLS_KEY']],
  ['a user without password', { ETCD_USERNAME: 'sge' }, ['ETCD_PASSWORD: is needed with ETCD_USERNAME']],
  ['a password without user', { ETCD_PASSWORD: 'secret' }, ['ETCD_USERNAME: is needed with ETCD_PASSWORD']],
  [
    'etcd:/// without etcd',
    { GRPC_MAIL_SERVICE_ADDR: 'etcd:///mail' },
    ['ETCD_ENDPOINTS: is needed with GRPC_MAIL_SERVICE_ADDR=etcd:///mail'],
  ],
  ['an address that is none', { GRPC_MAIL_SERVICE_ADDR: 'mail' }, ['GRPC_MAIL_SERVICE_ADDR: mail is not host:port']],
  [
    'an address that nobody reaches',
    { ETCD_ENDPOINTS: 'a:1', GRPC_HOST: '0.0.0.0' },
    ['GRPC_ADVERTISED_ADDR: is needed with ETCD_ENDPOINTS: nobody reaches GRPC_HOST=0.0.0.0'],
  ],
  ['an advertised address without a port', { GRPC_ADVERTISED_ADDR: 'mail' }, ['GRPC_ADVERTISED_ADDR: mail is not host:port']],
  ['a name with a slash', { SERVICE_INSTANCE: 'a/b' }, ['SERVICE_INSTANCE: must be 1 to 128 of A-Z, a-z, 0-9, ".", ":", "_" and "-"']],
])('%s is a fault that is named', (_what, environment: Record<string, string>, faults) => {
  expect(faultsOf(environment)).toEqual(faults);
});

test('an endpoint without a scheme is https where anything is said of TLS', () => {
  expect(etcdEndpoint('etcd:2379', {})).toEqual({ address: 'etcd:2379', secure: false });
  expect(etcdEndpoint('etcd:2379', { ETCD_TLS_CA: 'ca.pem' })).toEqual({ address: 'etcd:2379', secure: true });
  expect(etcdEndpoint('http://etcd:2379', { ETCD_TLS_CA: 'ca.pem' })).toEqual({ address: 'etcd:2379', secure: false });
  expect(etcdEndpoint('https://etcd:2379/', {})).toEqual({ address: 'etcd:2379', secure: true });
});

test('what is told to etcd is where the server listens, unless another address is given', () => {
  const listening = { GRPC_PORT: 50_051, GRPC_ADVERTISED_ADDR: undefined, SERVICE_INSTANCE: undefined };
  expect(advertisedAddress({ ...listening, GRPC_HOST: '10.0.0.7' })).toBe('10.0.0.7:50051');
  expect(advertisedAddress({ ...listening, GRPC_HOST: '::1' })).toBe('[::1]:50051');
  expect(advertisedAddress({ ...listening, GRPC_HOST: '0.0.0.0', GRPC_ADVERTISED_ADDR: 'mail-7:443' })).toBe('mail-7:443');
});
