import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { eventually } from '../../../../test/eventually';
import { TestAuthority } from '../../../../test/test-authority';
import { CertificateFiles } from './certificate-files';
import { recordLog, TestFiles } from './tls-loopback.fixture';

const authority = new TestAuthority();
const [one, two] = [authority.issueFor('mail'), authority.issueFor('mail')];
const past = authority.issue({ dns: ['mail'], from: new Date('2020-01-01'), to: new Date('2020-02-01') });
let files: TestFiles;
let log: string[];
beforeEach(() => {
  log = recordLog();
  files = new TestFiles(one, authority.certificate);
});
afterEach(() => {
  files.close();
  Logger.overrideLogger(false);
});

const inUse = ({ current }: CertificateFiles) => current.certificate.toString();
const errors = () => log.filter((line) => line.startsWith('error '));

test('what is on disk by and by is in use by itself', async () => {
  const { opened } = files;
  const changes: string[] = [];
  opened.onChange(({ certificate }) => changes.push(certificate.toString()));
  files.write(two);
  await eventually(
    () => inUse(opened),
    (cert) => cert === two.cert,
  );
  expect([changes, opened.broken, errors()]).toEqual([[two.cert], false, []]);
});

test('what did not change is not told as a change', () => {
  const { opened } = files;
  const changes: unknown[] = [];
  opened.onChange((good) => changes.push(good));
  files.write({ ...one, ca: authority.certificate });
  opened.look();
  expect([changes, log]).toEqual([[], []]);
});

test.each<[string, () => void, RegExp]>([
  ['garbage over the key', () => files.write({ key: 'garbage' }), /tls\.key does not hold a private key as PEM/],
  ['an empty certificate', () => files.write({ cert: '' }), /tls\.crt does not hold certificates/],
  ['half a certificate', () => files.write({ cert: two.cert.slice(0, 200) }), /tls\.crt does not hold certificates/],
  ['a new certificate with the old key', () => files.write({ cert: two.cert }), /tls\.key is not the key of the certificate .*tls\.crt/],
  ['an old certificate with the new key', () => files.write({ key: two.key }), /tls\.key is not the key of/],
  ['garbage over the CAs', () => files.write({ ca: 'garbage' }), /ca\.crt does not hold certificates/],
  ['a file that is gone', () => rmSync(files.paths.GRPC_TLS_KEY), /tls\.key cannot be read: ENOENT/],
  ['a pair that has expired', () => files.write(past), /tls\.crt: CN=test expired at 2020-02-01/],
])('%s: the last good stays in use, an alarm is raised once, and falls when it is mended', (_what, harm, told) => {
  const { opened } = files;
  harm();
  for (let looks = 0; looks < 3; looks += 1) opened.look();
  expect([inUse(opened), opened.broken]).toEqual([one.cert, true]);
  expect(errors()).toEqual([expect.stringMatching(told)]);
  expect(errors()[0]).toMatch(/What was read before stays in use, until \d{4}-/);
  files.write({ ...two, ca: authority.certificate });
  opened.look();
  expect([inUse(opened), opened.broken, errors().length]).toEqual([two.cert, false, 1]);
  expect(log.at(-1)).toMatch(/^info CertificateFiles: .* are good again, and in use$/);
});

test('another fault is another line', () => {
  files.opened.look();
  files.write({ key: 'garbage' });
  files.opened.look();
  files.write({ key: two.key });
  files.opened.look();
  expect(errors()).toHaveLength(2);
});

test('what is good again without a change is no change', () => {
  const { opened } = files;
  const changes: unknown[] = [];
  opened.onChange((good) => changes.push(good));
  files.write({ key: 'garbage' });
  opened.look();
  files.write(one);
  opened.look();
  expect([changes, opened.broken]).toEqual([[], false]);
});

test('when the certificate expires is known, in unix seconds', () => {
  const to = new Date('2031-02-03T04:05:06Z');
  files.write(authority.issue({ to }));
  expect(files.opened.expiresAt).toBe(to.getTime() / 1000);
});

test('one that has expired at the start is used, and told', () => {
  files.write(past);
  files.opened.look();
  expect([files.opened.broken, errors()]).toEqual([false, [expect.stringMatching(/tls\.crt: CN=test expired at 2020-02-01/)]]);
  files.write(one);
  files.opened.look();
  expect(inUse(files.opened)).toBe(one.cert);
});

test('the links that Kubernetes swaps are followed', () => {
  const volume = mkdtempSync(join(tmpdir(), 'volume-'));
  const version = (name: string, { cert, key }: typeof one) => {
    mkdirSync(join(volume, name));
    for (const [file, text] of [
      ['tls.crt', cert],
      ['tls.key', key],
      ['ca.crt', authority.certificate],
    ] as const)
      writeFileSync(join(volume, name, file), text);
    symlinkSync(name, join(volume, '..data.new'));
    renameSync(join(volume, '..data.new'), join(volume, '..data'));
  };
  version('..1', one);
  for (const file of ['tls.crt', 'tls.key', 'ca.crt']) symlinkSync(join('..data', file), join(volume, file));
  const [GRPC_TLS_CERT, GRPC_TLS_KEY, GRPC_TLS_CA] = ['tls.crt', 'tls.key', 'ca.crt'].map((file) => join(volume, file)) as [
    string,
    string,
    string,
  ];
  const mounted = new CertificateFiles({ GRPC_TLS_CERT, GRPC_TLS_KEY, GRPC_TLS_CA }, 3600);
  try {
    version('..2', two);
    mounted.look();
    expect([inUse(mounted), errors()]).toEqual([two.cert, []]);
  } finally {
    mounted.close();
    rmSync(volume, { recursive: true });
  }
});
