import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestAuthority } from '../../test/test-authority';
import { checkCertificates, tlsFilesOf } from './certificates.check';
import { authority, inDays, issue, stranger } from './tls-server.fixture';

const folder = mkdtempSync(join(tmpdir(), 'doctor-certificates-'));
afterAll(() => rmSync(folder, { recursive: true }));

const namesake = new TestAuthority('Our authority');
const right = { ...issue(authority, 'mail'), ca: authority.certificate };

function write({ cert, key, ca }: { cert: string; key: string; ca: string }) {
  const file = (name: string, pem: string) => {
    writeFileSync(join(folder, name), pem);
    return join(folder, name);
  };
  return { GRPC_TLS_CERT: file('cert.pem', cert), GRPC_TLS_KEY: file('key.pem', key), GRPC_TLS_CA: file('ca.pem', ca) };
}

test('without TLS there is nothing to check', () => {
  expect(checkCertificates({})).toEqual([]);
  expect(tlsFilesOf({})).toBeUndefined();
});

test('files that fit together, with their names and until when they are good', () => {
  expect(checkCertificates(write(right))).toEqual([
    // One of a test is good for a day.
    expect.objectContaining({ what: 'GRPC_TLS_CA', state: 'warning', found: expect.stringMatching(/^CN=Our authority, good until /) }),
    { what: 'GRPC_TLS_CERT', state: 'ok', found: expect.stringMatching(/^DNS:mail, good until \d{4}-\d\d-\d\d \d\d:\d\d UTC$/) },
  ]);
  expect(tlsFilesOf(write(right))).toEqual(right);
});

test.each([
  ['the key of another', { ...right, key: issue(authority, 'mail').key }, 'failure', 'GRPC_TLS_KEY', 'is not the key of'],
  [
    'a certificate of another authority',
    { ...issue(stranger, 'mail'), ca: right.ca },
    'failure',
    'GRPC_TLS_CERT',
    'is signed by CN=A stranger',
  ],
  [
    'of a CA with the same name and another key',
    { ...issue(namesake, 'mail'), ca: right.ca },
    'failure',
    'GRPC_TLS_CERT',
    'is signed by CN=Our authority',
  ],
  ['no certificate', { ...right, cert: 'garbage' }, 'failure', 'GRPC_TLS_CERT', 'does not hold certificates'],
  ['one that has expired', { ...right, ...issue(authority, 'mail', inDays(-9), inDays(-1)) }, 'failure', 'GRPC_TLS_CERT', 'expired on'],
  ['one of the future', { ...right, ...issue(authority, 'mail', inDays(1), inDays(9)) }, 'failure', 'GRPC_TLS_CERT', 'is good from'],
  [
    'one that ends soon',
    { ...right, ...issue(authority, 'mail', inDays(-9), inDays(13)) },
    'warning',
    'GRPC_TLS_CERT',
    'less than two weeks',
  ],
])('%s', (_what, files, state, what, found) => {
  const wrong = checkCertificates(write(files)).filter((finding) => finding.state !== 'ok');
  expect(wrong).toContainEqual({ what, state, found: expect.stringContaining(found), todo: expect.any(String) });
});

test('what is between is found in the file of the certificate', () => {
  const found = checkCertificates(write({ ...right, cert: right.cert + authority.certificate }));
  expect(found.filter(({ state }) => state === 'failure')).toEqual([]);
});

test('a file that cannot be read is named, and its calls are made without', () => {
  const settings = { ...write(right), GRPC_TLS_CA: '/nowhere/ca.pem' };
  expect(checkCertificates(settings)).toEqual([
    expect.objectContaining({ what: 'GRPC_TLS_CA', found: '/nowhere/ca.pem cannot be read: ENOENT' }),
  ]);
  expect(tlsFilesOf(settings)).toEqual({});
});
