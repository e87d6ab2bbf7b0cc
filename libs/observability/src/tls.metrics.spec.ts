import { Logger } from '@nestjs/common';
import { register } from 'prom-client';
import { TestAuthority } from '../../../test/test-authority';
import { TestFiles } from '../../grpc/src/tls/tls-loopback.fixture';
import { countHandshakeFailure, observeCertificates } from './tls.metrics';

const authority = new TestAuthority();
const valueOf = async (name: string) => (await register.getSingleMetric(name)!.get()).values;

beforeAll(() => Logger.overrideLogger(false));

test('files that are broken, and when the certificate in use expires, are told', async () => {
  const to = new Date('2031-02-03T04:05:06Z');
  const files = new TestFiles(authority.issue({ to }), authority.certificate);
  observeCertificates(files.opened);
  const expiry = [{ value: to.getTime() / 1000, labels: {} }];
  expect(await valueOf('grpc_tls_files_broken')).toEqual([{ value: 0, labels: {} }]);
  expect(await valueOf('grpc_tls_certificate_expiry_timestamp_seconds')).toEqual(expiry);
  files.write({ key: 'garbage' });
  files.opened.look();
  expect(await valueOf('grpc_tls_files_broken')).toEqual([{ value: 1, labels: {} }]);
  expect(await valueOf('grpc_tls_certificate_expiry_timestamp_seconds')).toEqual(expiry);
  files.close();
});

test('handshakes that fail are counted by their reason', async () => {
  for (const reason of ['plaintext', 'closed', 'plaintext'] as const) countHandshakeFailure(reason);
  expect(await valueOf('grpc_tls_handshake_failures_total')).toEqual([
    { value: 2, labels: { reason: 'plaintext' } },
    { value: 1, labels: { reason: 'closed' } },
  ]);
});
