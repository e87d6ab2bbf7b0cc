import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { readOnlyRpcs, RuleError } from '@sky-genesis/grpc';
import { eventually } from '../../../../test/eventually';
import { sendAndVanish } from '../../../../test/gone-client';
import { configFor, GatewayFixture, tokenFor } from '../../testing/gateway.fixture';
import { createGateway } from '../start-gateway';
import { createHttpAdapter } from './http-server.adapter';

const fixture = new GatewayFixture();
beforeAll(() => fixture.start());
afterAll(() => fixture.stop());

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function connected(): Socket {
  const socket = connect(Number(new URL(fixture.url).port), '127.0.0.1');
  closers.push(() => socket.destroy());
  return socket;
}

const EARLY = { 'early-data': '1' };
const MAIL = { to: ['a@example.com'] };

test.each([
  ['POST', '/api/v1/mail/send'],
  ['POST', '/api/v1/mail/msg_1/cancel'],
  ['PUT', '/api/v1/search/documents/doc_1'],
  ['DELETE', '/api/v1/files/file_1'],
  ['PATCH', '/api/v1/uploads/file_1'],
  ['POST', '/api/v1/mail/bulk'],
  ['POST', '/nowhere'],
])('%s %s is 425, and calls nothing', async (method, path) => {
  const calls = () => [fixture.mail, fixture.files, fixture.search].reduce((sum, { calls: each }) => sum + each.length, 0);
  const before = calls();
  const { status, headers, json } = await fixture.ask(path, { method, headers: EARLY });
  expect([status, headers.get('content-type'), json]).toEqual([
    425,
    'application/problem+json',
    {
      status: 425,
      title: 'Too Early',
      code: 'TOO_EARLY',
      detail: 'The request came in early data (0-RTT), which can be replayed. Send it again once the handshake is done.',
      request_id: headers.get('x-request-id'),
    },
  ]);
  expect(calls()).toBe(before);
});

test('425 comes before the body and before the token is looked at; the connection takes the request again', async () => {
  const socket = connected();
  const body = JSON.stringify(MAIL);
  const head = [
    'POST /api/v1/mail/send HTTP/1.1',
    'host: x',
    'content-type: application/json',
    `content-length: ${body.length}`,
    `authorization: Bearer `,
  ].join('\r\n');
  socket.write(`${head}bad\r\nearly-data: 1\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 425 Too Early\r\n/);
  socket.write(body);
  socket.write(`${head}${tokenFor()}\r\n\r\n${body}`);
  const [again] = (await once(socket, 'data')) as [Buffer];
  expect(again.toString()).toMatch(/^HTTP\/1\.1 202 /);
});

test('a body that is asked for first is not asked for', async () => {
  const socket = connected();
  socket.write(`POST /api/v1/files HTTP/1.1\r\nhost: x\r\nearly-data: 1\r\nexpect: 100-continue\r\ncontent-length: 10\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 425 /);
});

test('GET, HEAD and OPTIONS run, and the services are told', async () => {
  fixture.mail.getEmail = () => ({ email: { id: 'msg_1' } as never });
  expect((await fixture.ask('/api/v1/mail/msg_1', { headers: EARLY })).status).toBe(200);
  expect(fixture.mail.last.metadata.get('early-data')).toEqual(['1']);
  expect((await fixture.ask('/health/live', { method: 'HEAD', headers: EARLY })).status).toBe(200);
  expect((await fixture.ask('/api/v1/uploads', { method: 'OPTIONS', headers: EARLY })).status).toBe(204);
  await fixture.ask('/api/v1/mail/msg_1');
  expect(fixture.mail.last.metadata.get('early-data')).toEqual([]);
});

test('what a service finds too early is 425', async () => {
  fixture.mail.getEmail = () => {
    throw new RuleError('TOO_EARLY');
  };
  const { status, json } = await fixture.ask('/api/v1/mail/msg_1', { headers: EARLY });
  expect([status, json.code]).toEqual([425, 'TOO_EARLY']);
});

test('of a peer that is not trusted the header is as if not sent', async () => {
  const direct = await new GatewayFixture().start({ TRUSTED_PROXIES: '192.0.2.1' });
  closers.push(() => direct.stop());
  const { status } = await direct.post('/api/v1/mail/send', MAIL, EARLY);
  expect([status, direct.mail.last.metadata.get('early-data')]).toEqual([202, []]);
});

test('of a peer that is gone before it was seen the header counts: it may have been the proxy', async () => {
  const adapter = createHttpAdapter(configFor('127.0.0.1:1'));
  const server = adapter.getInstance();
  closers.push(() => server.close());
  const [came, peers, passed] = [[], [], []] as string[][];
  server.server.prependListener('request', ({ url, socket }: IncomingMessage) => {
    came!.push(url!);
    peers!.push(String(socket.remoteAddress));
  });
  server.addHook('onRequest', ({ url }, _reply, done) => {
    passed!.push(url);
    done();
  });
  server.post('/*', () => '');
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  for (const [path, header] of [
    ['early', 'early-data: 1\r\n'],
    ['late', ''],
  ]) {
    sendAndVanish(port, Buffer.from(`POST /${path} HTTP/1.1\r\nhost: x\r\n${header}content-length: 0\r\n\r\n`), 5);
  }
  await eventually(
    () => came!,
    ({ length }) => length === 10,
  );
  expect([new Set(peers), passed]).toEqual([new Set(['undefined']), Array(5).fill('/late')]);
});

test('what runs early calls an RPC that only reads', async () => {
  const adapter = createHttpAdapter(configFor('127.0.0.1:1'));
  const called: [route: string, readsOnly: boolean][] = [];
  adapter.getInstance().addHook('onRoute', ({ method, url, config }) => {
    const { rpc } = (config ?? {}) as { rpc?: string };
    if (rpc && [method].flat().some((each) => ['GET', 'HEAD', 'OPTIONS'].includes(each)))
      called.push([url, readOnlyRpcs.has(`/sky_genesis.${rpc}`)]);
  });
  const app = await createGateway(configFor('127.0.0.1:1'), adapter).then((created) => created.init());
  closers.push(() => app.close());
  expect(called.length).toBeGreaterThan(6);
  expect(called.filter(([, readsOnly]) => !readsOnly)).toEqual([]);
});
