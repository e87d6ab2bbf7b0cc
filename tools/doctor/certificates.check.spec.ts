import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkCertificates, readTlsFiles } from './certificates.check';
import { authority, inDays, stranger } from './tls-server.fixture';

const folder = mkdtempSync(join(tmpdir(), 'doctor-certificates-'));
afterAll(() => rmSync(folder, { recursive: true }));

const right = { ...authority.issue('mail'), ca: authority.certificate };

function write({ cert, key, ca }: { cert: string; key: string; ca: string }) {
  const file = (name: string, pem: string) => {
    writeFileSync(join(folder, name), pem);
    return join(folder, name);
  };
  return { GRPC_TLS_CERT: file('cert.pem', cert), GRPC_TLS_KEY: file('key.pem', key), GRPC_TLS_CA: file('ca.pem', ca) };
}

test('without TLS there is nothing to check', () => {
  expect(checkCertificates({})).toEqual([]);
  expect(readTlsFiles({})).toBeUndefined();
});

test('files that fit together, with their names and until when they are good', () => {
  expect(checkCertificates(write(right))).toEqual([
    { what: 'GRPC_TLS_CA', state: 'ok', found: 'CN=Our authority, good until 2049-12-31 00:00 UTC' },
    { what: 'GRPC_TLS_CERT', state: 'ok', found: 'DNS:mail, good until 2049-12-31 00:00 UTC' },
  ]);
  expect(readTlsFiles(write(right))).toEqual(right);
});

test.each([
  ['the key of another', { ...right, key: authority.issue('mail').key }, 'failure', 'GRPC_TLS_KEY', 'is not the key of GRPC_TLS_CERT'],
  [
    'a certificate of another authority',
    { ...stranger.issue('mail'), ca: right.ca },
    'failure',
    'GRPC_TLS_CERT',
    'is signed by CN=A stranger',
  ],
  ['no certificate', { ...right, cert: 'garbage' }, 'failure', 'GRPC_TLS_CERT', 'holds no certificate as PEM'],
  ['no key', { ...right, key: 'garbage' }, 'failure', 'GRPC_TLS_KEY', 'key.pem: '],
  ['one that has expired', { ...right, ...authority.issue('mail', inDays(-9), inDays(-1)) }, 'failure', 'GRPC_TLS_CERT', 'expired on'],
  ['one of the future', { ...right, ...authority.issue('mail', inDays(1), inDays(9)) }, 'failure', 'GRPC_TLS_CERT', 'is good from'],
  [
    'one that ends soon',
    { ...right, ...authority.issue('mail', inDays(-9), inDays(13)) },
    'warning',
    'GRPC_TLS_CERT',
    'less than two weeks',
  ],
])('%s', (_what, files, state, what, found) => {
  const wrong = checkCertificates(write(files)).filter((finding) => finding.state !== 'ok');
  expect(wrong).toEqual([{ what, state, found: expect.stringContaining(found), todo: expect.any(String) }]);
});

test('an authority between is found in the file of the certificate', () => {
  const settings = write({ ...right, cert: right.cert + authority.certificate });
  expect(checkCertificates(settings).map(({ state }) => state)).toEqual(['ok', 'ok']);
});

test('a file that cannot be read, and a setting that is missing, are named', () => {
  const { GRPC_TLS_CERT } = write(right);
  expect(checkCertificates({ GRPC_TLS_CERT, GRPC_TLS_CA: '/nowhere/ca.pem' })).toEqual([
    expect.objectContaining({ what: 'GRPC_TLS_CA', state: 'failure', found: '/nowhere/ca.pem cannot be read (ENOENT)' }),
    expect.objectContaining({ what: 'GRPC_TLS_KEY', state: 'failure', found: expect.stringContaining('is not set') }),
    expect.objectContaining({ what: 'GRPC_TLS_CERT', state: 'ok' }),
  ]);
});
