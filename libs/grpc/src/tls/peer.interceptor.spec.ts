import { TLSSocket } from 'node:tls';
import { type Client, Metadata, type sendUnaryData, type ServiceError, status } from '@grpc/grpc-js';
import { Logger } from '@nestjs/common';
import { type CallContext, callContext } from '../call-context';
import { fromServiceError } from '../grpc-status';
import { ask, Loopback } from '../loopback.fixture';
import { trustedProxies } from '../trusted-proxies';
import { type Names, TestAuthority } from '../../../../test/test-authority';
import { peerInterceptor } from './peer.interceptor';
import { peerRules } from './peer-rules';
import { call, recordLog, TestFiles, TlsServer, tlsClient } from './tls-loopback.fixture';

const authority = new TestAuthority();
const cleanups: (() => void | Promise<void>)[] = [];
let log: string[];
let seen: (CallContext | undefined)[];
beforeEach(() => {
  log = recordLog();
  seen = [];
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
  Logger.overrideLogger(false);
});

const handlers = {
  getEmail: (_call: unknown, callback: sendUnaryData<object>) => {
    seen.push(callContext.getStore());
    callback(null, {});
  },
};

async function start(options: { peers?: string[]; mutual?: boolean; edge?: string[] }): Promise<TlsServer> {
  const files = new TestFiles(authority.issueFor('mail'), authority.certificate);
  const server = await TlsServer.start({ files, handlers, ...options, isTrusted: trustedProxies([], options.edge) });
  cleanups.push(() => (server.close(), files.close()));
  return server;
}
function clientOf({ address }: TlsServer, names: Names): Client {
  const files = new TestFiles(authority.issue(names), authority.certificate);
  const client = tlsClient(address, files);
  cleanups.push(() => (client.close(), files.close()));
  return client;
}

const peers = ['api-gateway=MailService+StreamingService', 'spiffe://sge/search=MailService', 'edge=*', 'mail=SearchService'];

test.each<[string, Names]>([
  ['a DNS name', { dns: ['api-gateway'] }],
  ['one of several', { dns: ['x', 'API-Gateway', 'localhost'] }],
  ['a SPIFFE id', { uris: ['spiffe://sge/search'] }],
  ['what may call all', { dns: ['edge'] }],
])('%s that is named may call', async (_what, names) => {
  const server = await start({ peers });
  expect(await call(clientOf(server, names))).toBeUndefined();
});

test.each<[string, Names, string]>([
  ['one that is named for another service', { dns: ['mail'] }, 'mail'],
  ['one that is not named', { dns: ['stranger', 'localhost'] }, 'stranger, localhost'],
  ['another trust domain', { uris: ['spiffe://other/search'] }, 'spiffe://other/search'],
  ['a common name', { commonName: 'api-gateway' }, 'a certificate without DNS names and URIs'],
  ['a name with a comma in it', { dns: ['x, DNS:api-gateway'] }, 'a certificate without DNS names and URIs'],
  ['a wildcard', { dns: ['*'] }, '*'],
])('%s may not, and both sides are told', async (_what, names, named) => {
  const server = await start({ peers });
  const error = await call(clientOf(server, names));
  expect(error?.code).toBe(status.PERMISSION_DENIED);
  expect(fromServiceError(error!)).toMatchObject({ reason: 'PEER_NOT_ALLOWED', message: `${named} may not call MailService` });
  expect(log).toEqual([expect.stringMatching(/^warn peerInterceptor: .* may not call MailService: refused to 127\.0\.0\.1:\d+ /)]);
  expect(log[0]).toContain(named);
  expect(seen).toEqual([]);
});

test('health is open to every verified peer', async () => {
  const server = await start({ peers });
  expect(await call(clientOf(server, { dns: ['stranger'] }), '/grpc.health.v1.Health/Check')).toBeUndefined();
});

test('where nobody is named whoever the CA has signed may call', async () => {
  const server = await start({});
  expect(await call(clientOf(server, {}))).toBeUndefined();
});

test('the context of each call of a connection says who the peer is', async () => {
  const server = await start({});
  const [one, other] = [
    clientOf(server, { dns: ['api-gateway'], uris: ['spiffe://sge/api-gateway'] }),
    clientOf(server, { dns: ['search'] }),
  ];
  for (const client of [one, one, other]) await call(client);
  const gateway = ['api-gateway', 'spiffe://sge/api-gateway'];
  expect(seen.map((context) => context?.peer)).toEqual([gateway, gateway, ['search']]);
});

test('the certificate of a connection is read once', async () => {
  const server = await start({});
  const client = clientOf(server, { dns: ['search'] });
  await call(client);
  const read = jest.spyOn(TLSSocket.prototype, 'getPeerCertificate');
  await call(client);
  expect(read.mock.calls).toEqual([]);
  read.mockRestore();
});

test('a call whose certificate is not known is refused, though everybody may call', async () => {
  const loopback = await Loopback.start({ handlers, interceptors: { authentication: peerInterceptor(peerRules([])) } });
  cleanups.push(() => loopback.close());
  const { error } = await ask(loopback.client(), 'GetEmail', {});
  expect(fromServiceError(error!)).toMatchObject({
    reason: 'PEER_NOT_ALLOWED',
    message: 'a client whose certificate is not known may not call MailService',
  });
  expect(seen).toEqual([]);
});

test('where no certificate is asked for there is no peer', async () => {
  const server = await start({ mutual: false });
  await call(clientOf(server, { dns: ['api-gateway'] }));
  expect(seen.map((context) => context?.peer)).toEqual([undefined]);
});

test.each<[string, boolean]>([
  ['edge', true],
  ['api-gateway', false],
])('what %s says of a call is believed: %s', async (name, believed) => {
  const server = await start({ edge: ['edge'] });
  const metadata = new Metadata();
  metadata.set('x-request-id', 'mine-1');
  metadata.set('early-data', '1');
  await call(clientOf(server, { dns: [name] }), undefined, metadata);
  expect(seen[0]?.requestId === 'mine-1').toBe(believed);
  expect(seen[0]?.earlyData ?? false).toBe(believed);
});

test('a flood of refusals is logged within bounds', async () => {
  const server = await start({ peers });
  const client = clientOf(server, { dns: ['stranger'] });
  const errors = await Promise.all(Array.from({ length: 100 }, () => call(client)));
  expect(errors.every((error: ServiceError | undefined) => error?.code === status.PERMISSION_DENIED)).toBe(true);
  expect(log.length).toBeLessThanOrEqual(10);
});
