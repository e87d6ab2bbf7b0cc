import type { TlsOptions } from 'node:tls';
import { reach } from './tcp.probe';
import { authority, closeServers, inDays, issue, startPlain, startTls, stranger } from './tls-server.fixture';
import { NoTlsError, probeTls, type TlsFiles } from './tls.probe';

afterEach(closeServers);

const trusting: TlsFiles = { ca: authority.certificate };
const place = (port: number) => ({ host: '127.0.0.1', port, setting: 'A_SETTING' });

const probe = async (server: TlsOptions, files = trusting, host = 'mail.example', program?: string) =>
  probeTls(await reach('mail', place(await startTls(server))), { host, ...(program !== undefined && { program }) }, files, 'GRPC_TLS_CA');

test('a certificate that is right: its names, who signed it, and until when it is good', async () => {
  const shown = await probe(issue(authority, 'mail.example'));
  expect(shown).toMatchObject({ protocol: 'TLSv1.3', faults: [], endsSoon: false });
  expect(shown.summary).toMatch(/^certificate of DNS:mail.example, issued by CN=Our authority, good until \d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
});

test.each([
  [
    'of an authority that is not trusted',
    issue(stranger, 'mail.example'),
    /signed by CN=A stranger, which is not trusted here/,
    /GRPC_TLS_CA/,
  ],
  ['for another name', issue(authority, 'search.example'), /is for DNS:search.example, not for mail.example/, /names mail.example/],
  ['that has expired', issue(authority, 'mail.example', inDays(-9), inDays(-1)), /expired on \d{4}-\d\d-\d\d/, /Renew/],
  ['of the future', issue(authority, 'mail.example', inDays(1), inDays(9)), /is good from \d{4}-\d\d-\d\d .* only/, /clock/],
])('one %s is told with what to do', async (_what, pair, found, todo) => {
  const { faults } = await probe(pair);
  expect(faults).toEqual([{ found: expect.stringMatching(found), todo: expect.stringMatching(todo) }]);
});

test('everything that is wrong is told at once', async () => {
  const { faults } = await probe(issue(stranger, 'search.example', inDays(-9), inDays(-1)));
  expect(faults).toHaveLength(3);
});

test('a certificate may be for the program in place of the host', async () => {
  const { faults } = await probe(issue(authority, 'mail'), trusting, '127.0.0.1', 'mail');
  expect(faults).toEqual([]);
  expect((await probe(issue(authority, 'search'), trusting, '127.0.0.1', 'mail')).faults[0]?.found).toMatch(/not for 127.0.0.1 or mail$/);
});

test('one that ends within two weeks is said to', async () => {
  expect((await probe(issue(authority, 'mail.example', inDays(-1), inDays(13)))).endsSoon).toBe(true);
  expect((await probe(issue(authority, 'mail.example', inDays(-1), inDays(15)))).endsSoon).toBe(false);
});

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('a server that wants a client certificate (%s)', (version) => {
  const mutual = { ca: authority.certificate, requestCert: true, rejectUnauthorized: true, maxVersion: version };

  test('takes one that it trusts', async () => {
    const { faults } = await probe({ ...issue(authority, 'mail.example'), ...mutual }, { ...trusting, ...issue(authority, 'gateway') });
    expect(faults).toEqual([]);
  });

  test('says that none was shown', async () => {
    const { faults } = await probe({ ...issue(authority, 'mail.example'), ...mutual });
    expect(faults).toEqual([
      { found: expect.stringContaining('wants a client certificate'), todo: expect.stringContaining('GRPC_TLS_CERT') },
    ]);
  });
});

// Before 1.3 the connection is cut within the handshake, and nobody says why.
test('a server that does not trust the client certificate ends the connection', async () => {
  const mutual = { ca: authority.certificate, requestCert: true, rejectUnauthorized: true };
  const { faults } = await probe({ ...issue(authority, 'mail.example'), ...mutual }, { ...trusting, ...issue(stranger, 'gateway') });
  const found = expect.stringContaining('ended the connection when it had the client certificate');
  expect(faults).toEqual([{ found, todo: expect.stringContaining('GRPC_TLS_CERT') }]);
});

test('a server without TLS is told as such', async () => {
  const socket = await reach('mail', place(await startPlain('HTTP/1.1 400 Bad Request\r\n\r\n')));
  await expect(probeTls(socket, { host: 'mail.example' }, trusting, 'GRPC_TLS_CA')).rejects.toThrow(NoTlsError);
});
