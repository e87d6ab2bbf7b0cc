import { X509Certificate } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateFiles } from '@sky-genesis/grpc';
import { certsCommand } from './certs.command';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'certs-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => certsCommand(['--to', join(folder, 'made'), ...args]);
const path = (file: string) => join(folder, 'made', file);
const text = (file: string) => readFileSync(path(file), 'utf8');
const certificate = (name: string) => new X509Certificate(text(`${name}.pem`));

test('a CA and a pair for each service, good for both ends, with the names that each needs', () => {
  const told = run();
  expect(readdirSync(path('.')).sort()).toEqual(
    ['api-gateway', 'ca', 'edge', 'mail', 'search'].flatMap((name) => [`${name}.key`, `${name}.pem`]).sort(),
  );
  for (const name of ['api-gateway', 'edge', 'mail', 'search']) {
    const made = certificate(name);
    expect(made.subjectAltName).toBe(
      `DNS:${name}, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:spiffe://sge/${name}`,
    );
    expect(made.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(made.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect([made.ca, made.checkIssued(certificate('ca')), made.verify(certificate('ca').publicKey)]).toEqual([false, true, true]);
    expect([`${name}.key`, `${name}.pem`].map((file) => statSync(path(file)).mode & 0o777)).toEqual([0o600, 0o644]);
  }
  expect(certificate('ca').ca).toBe(true);
  expect(statSync(path('ca.key')).mode & 0o777).toBe(0o600);
  expect(told).toContain(`GRPC_TLS_CERT=${path('mail.pem')} GRPC_TLS_KEY=${path('mail.key')} GRPC_TLS_CA=${path('ca.pem')}`);
  const [GRPC_TLS_CERT, GRPC_TLS_KEY, GRPC_TLS_CA] = [path('mail.pem'), path('mail.key'), path('ca.pem')];
  new CertificateFiles({ GRPC_TLS_CERT, GRPC_TLS_KEY, GRPC_TLS_CA }, 3600).close();
});

test('what is there and good is left alone; what is not is made anew', () => {
  run('--names', 'mail,search');
  const before = ['ca.pem', 'mail.pem', 'search.pem'].map(text);
  expect(run('--names', 'mail,search')).toContain('Everything is there already');
  expect(['ca.pem', 'mail.pem', 'search.pem'].map(text)).toEqual(before);
  writeFileSync(path('search.key'), 'garbage');
  expect(run('--names', 'mail,search,edge')).toContain('Made: search, edge.');
  expect(text('mail.pem')).toBe(before[1]);
  expect(text('search.pem')).not.toBe(before[2]);
});

test('--renew makes new pairs of the same CA', () => {
  run('--names', 'mail');
  const [ca, pem, key] = ['ca.pem', 'mail.pem', 'mail.key'].map(text);
  run('--names', 'mail', '--renew');
  expect(text('ca.pem')).toBe(ca);
  expect([text('mail.pem') === pem, text('mail.key') === key]).toEqual([false, false]);
  expect(certificate('mail').verify(certificate('ca').publicKey)).toBe(true);
});

test('a bundle of CAs is left as it is', () => {
  run('--names', 'mail');
  appendFileSync(path('ca.pem'), text('ca.pem'));
  const bundle = text('ca.pem');
  run('--names', 'mail', '--renew');
  expect(text('ca.pem')).toBe(bundle);
});

test('--days says how long; a pair that is good for less than a week is made anew', () => {
  run('--names', 'mail', '--days', '3');
  const [days] = [(certificate('mail').validToDate.getTime() - Date.now()) / 86_400_000];
  expect(days).toBeGreaterThan(2.9);
  expect(days).toBeLessThanOrEqual(3);
  expect(run('--names', 'mail')).toContain('Made: mail.');
});

test('a CA whose key is not there is not replaced', () => {
  run('--names', 'mail');
  const before = text('ca.pem');
  rmSync(path('ca.key'));
  expect(() => run('--names', 'mail')).toThrow(/make another CA in a new folder/);
  expect([text('ca.pem'), existsSync(path('ca.key')), readdirSync(path('.')).filter((name) => name.startsWith('.new'))]).toEqual([
    before,
    false,
    [],
  ]);
});

test.each([
  ['--names', ''],
  ['--names', 'Mail'],
  ['--names', 'mail,../x'],
  ['--names', 'ca'],
  ['--names', 'x,DNS:mail'],
  ['--days', '0'],
  ['--days', '3651'],
  ['--days', 'x'],
  ['--what', 'x'],
])('%s %s is refused by name', (option, value) => {
  expect(() => run(option, value)).toThrow(option);
});

test('--help tells how a CA follows another', () => {
  expect(run('--help')).toContain('A new CA, while services run');
  expect(existsSync(path('.'))).toBe(false);
});
