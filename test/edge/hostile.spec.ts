import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { encodeFrame, FRAME } from '../http3/frames';
import { encodeFieldSection } from '../http3/qpack';
import { QuicConnection } from '../http3/quic-connection';
import { UdpSocket } from '../http3/udp-socket';
import { bearer, type EdgeSystem, startEdgeSystem } from './edge-system';
import type { EdgeWire } from './edge.wire';
import { Http1Wire } from './http1.wire';
import { Http2Wire } from './http2.wire';
import { Http3Wire } from './http3.wire';
import { encoded, errorOf } from './rpc';

const LIST = '/sky_genesis.MailService/ListEmails';
const readMails = { method: 'GET', path: '/api/v1/mail', headers: bearer() };

let running: EdgeSystem;
beforeAll(async () => {
  running = await startEdgeSystem();
}, 90_000);
afterAll(() => running?.stop());

/** After each: nobody else has felt it, no worker has died, and nothing was stored. */
afterEach(async () => {
  const wire = await Http3Wire.open(running.edge);
  expect((await wire.rest(readMails)).status).toBe(200);
  await wire.close();
  expect(running.edge.errors).not.toMatch(/exited on signal|\[(alert|emerg)\]/);
  await running.system.expectNothingStored();
});

/** What the edge answers to bytes on a TLS connection of HTTP/1.1, until it closes. */
async function answerTo(request: string): Promise<string> {
  const { edge } = running;
  const socket = connect({ port: edge.port, host: '127.0.0.1', servername: 'localhost', ca: edge.ca, ALPNProtocols: ['http/1.1'] });
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
  socket.on('error', () => undefined).setTimeout(5000, () => socket.destroy());
  await once(socket, 'secureConnect');
  socket.write(request, 'latin1');
  await once(socket, 'close');
  return answer;
}

const authorization = `Authorization: ${bearer().authorization}`;
const mail = JSON.stringify({ from: 'sender@example.com', to: ['recipient@example.com'], subject: 'smuggled' });
const hidden = `POST /api/v1/mail/send HTTP/1.1\r\nHost: localhost\r\n${authorization}\r\nContent-Type: application/json\r\nContent-Length: ${mail.length}\r\n\r\n${mail}`;
const post = (...lines: string[]): string =>
  [
    'POST /api/v1/mail/send HTTP/1.1',
    'Host: localhost',
    authorization,
    'Content-Type: application/json',
    'Connection: close',
    ...lines,
  ].join('\r\n');

test.each([
  ['two lengths', post('Content-Length: 3', `Content-Length: ${3 + hidden.length}`, '', `{}\n${hidden}`)],
  ['a length and chunks', post('Content-Length: 4', 'Transfer-Encoding: chunked', '', `0\r\n\r\n${hidden}`)],
  ['an odd transfer coding', post('Transfer-Encoding: xchunked', '', `0\r\n\r\n${hidden}`)],
  ['a length that is none', post('Content-Length: 0x10', '', hidden)],
  ['a negative length', post('Content-Length: -1', '', hidden)],
  ['chunks that are none', post('Transfer-Encoding: chunked', '', `zz\r\n${hidden}`)],
  ['a space before the colon', post('Content-Length : 4', '', hidden)],
  ['a line that is no header', post('what is this', '', '')],
  ['NUL in a header', post('X-Odd: a\0b', 'Content-Length: 0', '', '')],
  ['two hosts', post('Host: elsewhere', 'Content-Length: 0', '', '')],
  ['no host', 'GET /api/v1/mail HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ['no HTTP at all', '\x16\x03\x01 hello\r\n\r\n'],
  ['CONNECT', 'CONNECT 127.0.0.1:50051 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'],
  ['TRACE', 'TRACE /api/v1/mail HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
])('HTTP/1.1 with %s is refused by the edge, as a whole', async (_what, request) => {
  const answer = await answerTo(request);
  expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*"code":"MALFORMED_REQUEST"/);
  // Not a second answer behind it.
  expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
});

test('an absolute target of another host is not followed', async () => {
  const answer = await answerTo(`GET https://127.0.0.1:1/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 404 /);
});

const wires: [name: string, open: () => Promise<EdgeWire>][] = [
  ['HTTP/3', () => Http3Wire.open(running.edge)],
  ['HTTP/2', () => Http2Wire.open(running.edge)],
  ['HTTP/1.1', () => Promise.resolve(new Http1Wire(running.edge))],
];

test.each(wires)('headers larger than the bound, over %s: 431, or the end of that connection, and nothing else', async (name, open) => {
  const wire = await open();
  const answer = await wire.rest({ ...readMails, headers: { ...bearer(), 'x-large': 'x'.repeat(200_000) } });
  if (name === 'HTTP/1.1') expect(answer.status).toBe(431);
  else expect(answer.status ?? answer.error).toBeTruthy();
  expect(answer.status).not.toBe(200);
  await wire.close();
});

test('a service’s token is not taken from outside', async () => {
  const wire = await Http3Wire.open(running.edge);
  const metadata = { ...bearer(), 'x-service-authorization': 'Bearer not.a.token' };
  // The service itself would refuse a bad one: it never came.
  expect(await wire.grpc({ path: LIST, metadata, requests: [encoded(LIST, {})] })).toMatchObject({ status: 0 });
  await wire.close();
});

test('gRPC that is none is told by the service: no frame, a frame too large, half a frame', async () => {
  const wire = await Http3Wire.open(running.edge);
  const headers = { 'content-type': 'application/grpc', te: 'trailers', ...bearer() };
  for (const body of [Buffer.from('not a frame'), Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), Buffer.from([0, 0, 0, 0, 9, 1])]) {
    const answer = await wire.rest({ method: 'POST', path: LIST, headers, body });
    const status = answer.trailers['grpc-status'] ?? answer.headers['grpc-status'];
    expect([answer.status, Number(status)]).toEqual([200, expect.any(Number)]);
    expect(Number(status)).toBeGreaterThan(0);
  }
  const wrongMethod = await wire.rest({ method: 'GET', path: LIST, headers });
  expect(wrongMethod.status === 200 && wrongMethod.headers['grpc-status'] === '0').toBe(false);
  await wire.close();
});

const request = (...fields: [string, string][]): Buffer => encodeFrame(FRAME.HEADERS, encodeFieldSection(fields));
const good: [string, string][] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/health/ready'],
];

test.each<[what: string, bytes: Buffer]>([
  ['DATA before HEADERS', encodeFrame(FRAME.DATA, Buffer.from('early'))],
  ['SETTINGS on a request', encodeFrame(FRAME.SETTINGS, Buffer.alloc(0))],
  ['headers that no decoder reads', encodeFrame(FRAME.HEADERS, Buffer.from([0, 0, 0xff, 0xff, 0xff, 0xff, 0x7f]))],
  ['a name in upper case', request(...good, ['X-Upper', '1'])],
  ['a pseudo-header behind the others', request(['accept', '*/*'], ...good)],
  ['a pseudo-header twice', request(...good, [':path', '/metrics'])],
  ['a pseudo-header that is none', request(...good, [':admin', '1'])],
  ['no path', request(...good.slice(0, 3))],
  ['CR and LF in a value', request(...good, ['x-odd', 'a\r\nx-injected: 1'])],
  ['NUL in a value', request(...good, ['x-odd', 'a\0b'])],
  ['a frame that is longer than the stream', Buffer.from([0x01, 0x40, 0xff, 0x00])],
])('HTTP/3 with %s is refused: 400, or an error of the stream or the connection', async (_what, bytes) => {
  const { edge } = running;
  const socket = await UdpSocket.to({ host: '127.0.0.1', port: edge.port });
  const quic = new QuicConnection(edge.address, socket);
  try {
    await quic.established;
    const control = await quic.open('unidirectional');
    await control.write(Buffer.concat([Buffer.from([0]), encodeFrame(FRAME.SETTINGS, Buffer.alloc(0))]));
    const stream = await quic.open('bidirectional');
    await stream.write(bytes);
    await stream.end();
    const answer: Buffer[] = [];
    const ending = (async () => {
      for await (const piece of stream.read()) answer.push(piece);
    })().catch((error: unknown) => error);
    const failure = await Promise.race([ending, quic.ended]);
    const text = Buffer.concat(answer).toString('latin1');
    expect(failure !== undefined || text.includes('"code":"MALFORMED_REQUEST"')).toBe(true);
    expect(text).not.toContain('"status":"ok"');
  } finally {
    quic.close();
  }
});

test('a control stream of garbage ends its connection', async () => {
  const socket = await UdpSocket.to({ host: '127.0.0.1', port: running.edge.port });
  const quic = new QuicConnection(running.edge.address, socket);
  await quic.established;
  const control = await quic.open('unidirectional');
  await control.write(Buffer.concat([Buffer.from([0]), encodeFrame(FRAME.DATA, randomBytes(64))]));
  expect((await quic.ended).kind).toBe('closed');
});

test('ten thousand datagrams of noise, some that begin as QUIC does', async () => {
  const socket = createSocket('udp4');
  for (let count = 0; count < 10_000; count++) {
    const noise = randomBytes(20 + (count % 1300));
    // A long header of version 1: an Initial that cannot be opened.
    if (count % 2 === 0) noise.set([0xc0 | (noise[0]! & 0x0f), 0, 0, 0, 1]);
    await new Promise((resolve) => socket.send(noise, running.edge.port, '127.0.0.1', resolve));
  }
  socket.close();
}, 60_000);

test('an error that the edge makes of a gRPC request it could not read has no detail of its own', async () => {
  const wire = await Http2Wire.open(running.edge);
  const answer = await wire.grpc!({ path: '/grpc.health.v1.Nothing/AtAll', requests: [Buffer.alloc(0)] });
  expect([answer.status, errorOf(answer).message]).toEqual([12, expect.not.stringMatching(/nginx|127\.0\.0\.1/)]);
  await wire.close();
});
