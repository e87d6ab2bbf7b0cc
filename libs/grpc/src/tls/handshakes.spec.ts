import { once } from 'node:events';
import { connect } from 'node:net';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { eventually } from '../../../../test/eventually';
import { type Names, type Pair, TestAuthority } from '../../../../test/test-authority';
import { ConnectionErrors } from './connection-errors';
import { call, type TestFiles, TlsSides } from './tls-loopback.fixture';

const authority = new TestAuthority('Good CA');
const stranger = new TestAuthority('Other CA');
const PAST: Names = { from: new Date('2020-01-01'), to: new Date('2020-02-01') };
const FUTURE: Names = { from: new Date('2048-01-01'), to: new Date('2049-01-01') };

let sides: TlsSides;
beforeEach(() => (sides = new TlsSides()));
afterEach(() => sides.close());

const filesOf = (pair: Pair) => sides.files(pair, authority.certificate);
const errorsOf = (address: string, files?: TestFiles) =>
  new ConnectionErrors({ service: 'mail', addresses: () => [address], files: files?.opened });

interface Case {
  server: () => Pair | undefined;
  client: () => Pair | undefined;
  cause: string;
  /** What the caller is told. */
  told: RegExp;
  /** What stands in the log of the client's process. */
  clientLog: RegExp;
  /** And in that of the server's; undefined: nothing. */
  serverLog: RegExp | undefined;
  failure: string | undefined;
}

const mail = () => authority.issueFor('mail');
const gateway = () => authority.issueFor('api-gateway');

const cases: Record<string, Case> = {
  'a client certificate of another CA': {
    server: mail,
    client: () => stranger.issueFor('api-gateway'),
    cause: 'TLS_CERTIFICATE_REFUSED',
    told: /does not accept the client certificate/,
    clientLog: /ended the connection when it had our certificate \(DNS:api-gateway,.*CN=api-gateway < CN=Other CA/,
    serverLog: /127\.0\.0\.1:\d+: the client certificate is of no CA in GRPC_TLS_CA, CN=Good CA \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)/,
    failure: 'certificate_untrusted',
  },
  'an expired client certificate': {
    server: mail,
    client: () => authority.issue({ dns: ['api-gateway'], commonName: 'api-gateway', ...PAST }),
    cause: 'TLS_CERTIFICATE_EXPIRED',
    told: /client certificate has expired/,
    clientLog: /refuses our certificate: CN=api-gateway expired at 2020-02-01/,
    serverLog: /127\.0\.0\.1:\d+: the client certificate has expired, or is not valid yet \(CERT_HAS_EXPIRED\)/,
    failure: 'certificate_expired',
  },
  'a server certificate of another CA': {
    server: () => stranger.issueFor('mail'),
    client: gateway,
    cause: 'TLS_UNTRUSTED',
    told: /its certificate is not of a trusted CA/,
    clientLog: /no CA in GRPC_TLS_CA \(CN=Good CA until .*Z\): its chain is CN=mail < CN=Other CA \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)/,
    serverLog: /the client ended the handshake, .* not take our certificate \(DNS:mail,.*of CN=Other CA, until .*\): ECONNRESET/,
    failure: 'refused_by_client',
  },
  'an expired server certificate': {
    server: () => authority.issue({ dns: ['mail'], commonName: 'mail', ...PAST }),
    client: gateway,
    cause: 'TLS_EXPIRED',
    told: /its certificate has expired/,
    clientLog: /shows a certificate whose time is over or to come: CN=mail expired at 2020-02-01T00:00:00\.000Z/,
    serverLog: /not take our certificate \(DNS:mail, of CN=Good CA, until 2020-02-01T00:00:00\.000Z\)/,
    failure: 'refused_by_client',
  },
  'a server certificate of the future': {
    server: () => authority.issue({ dns: ['mail'], commonName: 'mail', ...FUTURE }),
    client: gateway,
    cause: 'TLS_EXPIRED',
    told: /not valid yet/,
    clientLog: /CN=mail is not valid before 2048-01-01/,
    serverLog: /not take our certificate/,
    failure: 'refused_by_client',
  },
  'a server certificate of another name': {
    server: () => authority.issue({ dns: ['search'], commonName: 'mail' }),
    client: gateway,
    cause: 'TLS_NAME',
    told: /its certificate is for another name/,
    clientLog: /the certificate is for DNS:search, not for 127\.0\.0\.1 or the service mail; its chain is CN=mail < CN=Good CA/,
    serverLog: /not take our certificate \(DNS:search, of CN=Good CA/,
    failure: 'refused_by_client',
  },
  'a plaintext server': {
    server: () => undefined,
    client: gateway,
    cause: 'PLAINTEXT_SERVER',
    told: /does not speak TLS/,
    clientLog: /127\.0\.0\.1:\d+ does not speak TLS, this side does: set GRPC_TLS_CERT/,
    serverLog: undefined,
    failure: undefined,
  },
  'a plaintext client': {
    server: mail,
    client: () => undefined,
    cause: 'TLS_SERVER',
    told: /speaks TLS only/,
    clientLog: /127\.0\.0\.1:\d+ speaks TLS, this side plaintext: set GRPC_TLS_CERT/,
    serverLog: /127\.0\.0\.1:\d+: the client does not speak TLS/,
    failure: 'plaintext',
  },
};

test.each(Object.entries(cases))('%s is told on both sides', async (_name, expected) => {
  const pair = expected.server();
  const own = expected.client();
  const server = await sides.serve({ files: pair && filesOf(pair) });
  const files = own && filesOf(own);
  const error = await call(sides.client(server.address, files));
  const told = await errorsOf(server.address, files).explain(error!);
  expect(told).toMatchObject({ reason: 'SERVICE_UNAVAILABLE', details: { facts: { service: 'mail', cause: expected.cause } } });
  expect(told.message).toMatch(expected.told);
  expect(told.message).not.toMatch(/127\.0|CN=|DNS:|Z/);
  await eventually(
    () => sides.logged('connection'),
    ({ length }) => length > 0,
  );
  expect(sides.logged('connection')).toEqual([expect.stringMatching(expected.clientLog)]);
  if (expected.failure !== undefined) expect(server.failures).toContain(expected.failure);
  if (expected.serverLog) expect(sides.logged('tls')).toContainEqual(expect.stringMatching(expected.serverLog));
});

test('a client without a certificate is told on both sides', async () => {
  const server = await sides.serve({ files: filesOf(mail()) });
  const error = await withoutCertificate(server.address);
  const told = await errorsOf(server.address, filesOf(gateway())).explain(error!);
  expect(told.details.facts).toEqual({ service: 'mail', cause: 'TLS_CERTIFICATE_REQUIRED' });
  expect(server.failures).toContain('certificate_required');
  expect(sides.logged('tls')).toContainEqual(
    expect.stringMatching(/127\.0\.0\.1:\d+: the client shows no certificate \(GRPC_TLS_MUTUAL asks/),
  );
});

async function withoutCertificate(address: string): Promise<ServiceError | undefined> {
  return call(sides.clientWith(address, credentials.createSsl(Buffer.from(authority.certificate))));
}

test('where GRPC_TLS_MUTUAL is false nobody needs one', async () => {
  const server = await sides.serve({ files: filesOf(mail()), mutual: false });
  expect(await withoutCertificate(server.address)).toBeUndefined();
});

test('with the right certificates a call is answered, and nothing is told', async () => {
  const server = await sides.serve({ files: filesOf(mail()) });
  expect(await call(sides.client(server.address, filesOf(gateway())))).toBeUndefined();
  expect([sides.logged(), server.failures]).toEqual([[], []]);
});

test.each<[string, Names]>([
  ['DNS', { dns: ['mail'] }],
  ['SPIFFE', { uris: ['spiffe://cluster.local/ns/sge/sa/mail'] }],
])('an instance is called by its address when its certificate names the service by %s', async (_kind, names) => {
  const server = await sides.serve({ files: filesOf(authority.issue(names)) });
  expect(await call(sides.client(server.address, filesOf(gateway())))).toBeUndefined();
});

test('a probe of the port is counted and not logged; a flood of failures is logged within bounds', async () => {
  const server = await sides.serve({ files: filesOf(mail()) });
  const port = Number(server.address.split(':')[1]);
  const knock = async (said: string) => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    socket.end(said);
    socket.resume();
    await once(socket, 'close');
  };
  await knock('');
  await eventually(
    () => server.failures,
    ({ length }) => length === 1,
  );
  expect([server.failures, sides.logged('tls')]).toEqual([['closed'], []]);
  await Promise.all(Array.from({ length: 50 }, () => knock('GET / HTTP/1.1\r\n\r\n')));
  await eventually(
    () => server.failures,
    ({ length }) => length === 51,
  );
  expect(sides.logged('tls').length).toBeGreaterThan(0);
  // Two seconds may have a part in it.
  expect(sides.logged('tls').length).toBeLessThanOrEqual(10);
});
