import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { type ConfigError, readConfig } from '@sky-genesis/config';
import { z } from 'zod';
import { TestAuthority } from '../../../../test/test-authority';
import { TestFiles } from './tls-loopback.fixture';
import { tlsRules, tlsSettings } from './tls.settings';

const authority = new TestAuthority();
const other = authority.issueFor('search');
let files: TestFiles;
beforeEach(() => (files = new TestFiles(authority.issueFor('mail'), authority.certificate)));
afterEach(() => files.close());

const read = (environment: Record<string, string>) => readConfig(z.object(tlsSettings).check(tlsRules), environment);
const faultsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    read(environment);
    return [];
  } catch (error) {
    return (error as ConfigError).faults;
  }
};

test('nothing is needed: gRPC is plaintext then', () => {
  expect(read({})).toEqual({ GRPC_TLS_MUTUAL: true, GRPC_TLS_PEERS: [], GRPC_TLS_EDGE: ['edge'], GRPC_TLS_RELOAD_SECONDS: 5 });
});

test('files that fit together are taken', () => {
  const peers = 'api-gateway=MailService+SearchService, spiffe://sge/mail=SearchService,edge=*';
  expect(read({ ...files.paths, GRPC_TLS_PEERS: peers })).toMatchObject(files.paths);
});

test('all three paths, or none', () => {
  const { GRPC_TLS_CERT } = files.paths;
  expect(faultsOf({ GRPC_TLS_CERT })).toEqual([
    expect.stringMatching(/^GRPC_TLS_KEY: is needed/),
    expect.stringMatching(/^GRPC_TLS_CA: is needed/),
  ]);
});

test.each<[string, keyof TestFiles['paths'], () => void, RegExp]>([
  ['is missing', 'GRPC_TLS_CERT', () => (files.paths.GRPC_TLS_CERT += 'x'), /^GRPC_TLS_CERT: .* cannot be read: ENOENT$/],
  ['is a folder', 'GRPC_TLS_CA', () => (files.paths.GRPC_TLS_CA = files.folder), /^GRPC_TLS_CA: .* is not a file$/],
  ['is too large', 'GRPC_TLS_KEY', () => files.write({ key: 'x'.repeat(1_048_577) }), /^GRPC_TLS_KEY: .* larger than 1048576 bytes$/],
  ['is no certificate', 'GRPC_TLS_CERT', () => files.write({ cert: 'garbage' }), /^GRPC_TLS_CERT: .* not hold certificates/],
  ['is no key', 'GRPC_TLS_KEY', () => files.write({ key: 'garbage' }), /^GRPC_TLS_KEY: .* not hold a private key/],
  ['is the key of another', 'GRPC_TLS_KEY', () => files.write({ key: other.key }), /^GRPC_TLS_KEY: .* is not the key of/],
  [
    'is cut off',
    'GRPC_TLS_CA',
    () => files.write({ ca: authority.certificate + authority.certificate.slice(0, 100) }),
    /^GRPC_TLS_CA: .* whole/,
  ],
])('a file that %s is a fault of %s', (_what, _setting, harm, told) => {
  harm();
  expect(faultsOf({ ...files.paths })).toEqual([expect.stringMatching(told)]);
});

test('a pair that has expired is no fault: it is told, and may be replaced while the service runs', () => {
  const past = { from: new Date('2020-01-01'), to: new Date('2020-02-01') };
  files.write(authority.issue({ dns: ['mail'], ...past }));
  expect(faultsOf({ ...files.paths })).toEqual([]);
});

test('a path may come by file, as every setting', () => {
  const path = join(files.folder, 'path');
  writeFileSync(path, `${files.paths.GRPC_TLS_CERT}\n`);
  const { GRPC_TLS_KEY, GRPC_TLS_CA } = files.paths;
  expect(read({ GRPC_TLS_CERT_FILE: path, GRPC_TLS_KEY, GRPC_TLS_CA }).GRPC_TLS_CERT).toBe(files.paths.GRPC_TLS_CERT);
});

test.each([
  ['mail', 'names ""'],
  ['=MailService', 'does not begin with'],
  ['*=MailService', 'does not begin with'],
  ['a b=MailService', 'does not begin with'],
  ['spiffe://sge=MailService', 'does not begin with'],
  ['mail=MailService=SearchService', 'does not begin with'],
  ['mail=', 'names ""'],
  ['mail=mailservice', 'names "mailservice"'],
  ['mail=MailService+Health', 'names "Health"'],
])('GRPC_TLS_PEERS=%s is a fault', (peers, told) => {
  expect(faultsOf({ ...files.paths, GRPC_TLS_PEERS: `edge=*,${peers}` })).toEqual([expect.stringMatching(`^GRPC_TLS_PEERS: .*${told}`)]);
});

test('identities need certificates that are asked for', () => {
  const GRPC_TLS_PEERS = 'mail=SearchService';
  expect(faultsOf({ GRPC_TLS_PEERS })).toEqual([expect.stringMatching(/^GRPC_TLS_PEERS: needs client certificates/)]);
  expect(faultsOf({ ...files.paths, GRPC_TLS_PEERS, GRPC_TLS_MUTUAL: 'false' })).toHaveLength(1);
});

test('GRPC_TLS_EDGE takes DNS names and SPIFFE ids, or nobody', () => {
  expect(read({ GRPC_TLS_EDGE: 'edge.example.com, spiffe://sge/edge' }).GRPC_TLS_EDGE).toHaveLength(2);
  expect(read({ GRPC_TLS_EDGE: '' }).GRPC_TLS_EDGE).toEqual([]);
  expect(faultsOf({ GRPC_TLS_EDGE: '*' })).toEqual([expect.stringMatching(/^GRPC_TLS_EDGE: \* is neither/)]);
});
