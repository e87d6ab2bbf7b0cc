import { ServerCredentials } from '@grpc/grpc-js';
import { freePort } from '../../test/free-port';
import { startHealth } from './health-server.fixture';
import { checkService } from './service.check';
import { services } from './service.instances';
import { authority, closeServers, inDays, issue, startPlain } from './tls-server.fixture';
import type { TlsFiles } from './tls.probe';

const [mail] = services as [(typeof services)[0]];
const MAIL = 'sky_genesis.MailService';
const closers: (() => void)[] = [];

afterEach(() => {
  closers.splice(0).forEach((close) => close());
  closeServers();
});

const check = (address: string, tls?: TlsFiles) => checkService(mail, { GRPC_MAIL_SERVICE_ADDR: address }, tls);

async function serving(statuses: Parameters<typeof startHealth>[0], credentials?: ServerCredentials): Promise<string> {
  const { port, close } = await startHealth(statuses, credentials);
  closers.push(close);
  return `127.0.0.1:${port}`;
}

const secure = ({ cert, key }: { cert: string; key: string }) =>
  ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }]);

test('one that serves', async () => {
  const address = await serving({ [MAIL]: 'SERVING' });
  expect(await check(address)).toEqual([
    { what: `mail ${address}`, state: 'ok', found: expect.stringMatching(/^SERVING, answers in \d+ ms$/) },
  ]);
});

test.each([
  ['is NOT_SERVING', { [MAIL]: 'NOT_SERVING' }, /^NOT_SERVING/, /log of mail/],
  [
    'is another service',
    { 'sky_genesis.SearchService': 'SERVING' },
    /does not have sky_genesis.MailService/,
    /put GRPC_MAIL_SERVICE_ADDR right/,
  ],
] as const)('one that %s', async (_what, statuses, found, todo) => {
  expect(await check(await serving(statuses))).toEqual([
    expect.objectContaining({ state: 'failure', found: expect.stringMatching(found), todo: expect.stringMatching(todo) }),
  ]);
});

test('one that does not speak gRPC', async () => {
  const port = await startPlain('HTTP/1.1 400 Bad Request\r\n\r\n');
  expect(await check(`127.0.0.1:${port}`)).toEqual([
    expect.objectContaining({ state: 'failure', todo: expect.stringContaining('GRPC_MAIL_SERVICE_ADDR') }),
  ]);
});

test('one that takes connections and hangs is told so within the time of a check', async () => {
  const [finding] = await check(`127.0.0.1:${await startPlain()}`);
  expect(finding).toMatchObject({ state: 'failure', found: 'no answer within 3 s', todo: expect.stringContaining('It hangs') });
}, 15_000);

test('several: each by itself', async () => {
  const [up, down] = [await serving({ [MAIL]: 'SERVING' }), `127.0.0.1:${await freePort()}`];
  expect(await check(`${up},${down}`)).toEqual([
    expect.objectContaining({ what: `mail ${up}`, state: 'ok' }),
    expect.objectContaining({ what: `mail ${down}`, state: 'failure', found: `connection refused by ${down}` }),
  ]);
});

test('an address that is none is told with what it takes', async () => {
  expect(await check('http://mail')).toEqual([
    expect.objectContaining({ state: 'failure', found: expect.stringContaining('GRPC_MAIL_SERVICE_ADDR: http:// is none of host:port') }),
  ]);
});

describe('TLS', () => {
  const tls: TlsFiles = { ca: authority.certificate, ...issue(authority, 'gateway') };

  test('as it should be', async () => {
    const address = await serving({ [MAIL]: 'SERVING' }, secure(issue(authority, 'mail')));
    expect(await check(address, tls)).toEqual([expect.objectContaining({ state: 'ok', found: expect.stringContaining('over TLS') })]);
  });

  test('a certificate that ends within two weeks is a warning beside', async () => {
    const address = await serving({ [MAIL]: 'SERVING' }, secure(issue(authority, 'mail', inDays(-1), inDays(5))));
    expect((await check(address, tls)).map(({ state }) => state)).toEqual(['ok', 'warning']);
  });

  test('a certificate for another name', async () => {
    const address = await serving({ [MAIL]: 'SERVING' }, secure(issue(authority, 'search')));
    expect(await check(address, tls)).toEqual([
      expect.objectContaining({ state: 'failure', found: 'TLS: its certificate is for DNS:search, not for 127.0.0.1 or mail' }),
    ]);
  });

  test('there and not here', async () => {
    const address = await serving({ [MAIL]: 'SERVING' }, secure(issue(authority, 'mail')));
    const [finding] = await check(address);
    expect(finding).toMatchObject({
      state: 'failure',
      found: expect.stringMatching(/^speaks TLS \(certificate of DNS:mail, .*which the settings here do not$/),
    });
    expect(finding?.todo).toMatch(/GRPC_TLS_CERT.*grpcurl: -cacert/);
  });

  test('here and not there', async () => {
    const address = await serving({ [MAIL]: 'SERVING' });
    const [finding] = await check(address, tls);
    expect(finding).toMatchObject({
      state: 'failure',
      found: expect.stringContaining('does not speak TLS, which the settings here ask for'),
    });
  });
});
