import { isDeepStrictEqual } from 'node:util';
import type { Socket } from 'node:net';
import { eventually } from '../eventually';
import { encodeFrame, FRAME } from '../http3/frames';
import { encodeFieldSection } from '../http3/qpack';
import { bearer, type EdgeSystem, startEdgeSystem } from './edge-system';
import type { EdgeWire } from './edge.wire';
import { Http2Wire } from './http2.wire';
import { Http3Wire } from './http3.wire';
import { mailOf, watchEvents } from './mail.calls';
import { openQuic, openTcp, openTls } from './raw.clients';
import { TestEdge } from './test-edge';
import { versions } from './wires';

const BODY_SECONDS = 2;
const IDLE_SECONDS = 5;
/** Of the headers of a request, and of a handshake. */
const HEADER_SECONDS = 10;

let running: EdgeSystem;
beforeAll(async () => {
  running = await startEdgeSystem({
    edge: { EDGE_BODY_TIMEOUT_SECONDS: String(BODY_SECONDS), EDGE_IDLE_TIMEOUT_SECONDS: String(IDLE_SECONDS) },
  });
}, 90_000);
afterAll(() => running?.stop());

const send = (wire: EdgeWire) =>
  wire.rest({
    method: 'POST',
    path: '/api/v1/mail/send',
    headers: { ...bearer(), 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(mailOf('as fast as can be'))),
  });

test.each(versions)(
  'a body that does not go on is cut after EDGE_BODY_TIMEOUT_SECONDS, and leaves nothing, over %s',
  async (_name, open) => {
    const wire = await open(running.edge);
    const content = () =>
      running.system.database.query('select (select count(*) from email) + (select count(*) from upload) + (select count(*) from file)');
    const before = await content();
    const bodies = [
      ['POST', '/api/v1/mail/send', 'application/json'],
      ['PUT', '/api/v1/files/by-name/slow.txt', 'text/plain'],
      ['POST', '/api/v1/mail/bulk', 'application/x-ndjson'],
    ] as const;
    await Promise.all(
      bodies.map(async ([method, path, type]) => {
        const began = Date.now();
        const headers = { ...bearer(), 'content-type': type };
        const answer = await wire.rest({ method, path, headers, body: Buffer.from('{"to":["re'), keepOpen: true });
        expect([path, answer.error]).toEqual([path, expect.stringMatching(/PROTOCOL_ERROR|Premature close|ECONNRESET|aborted/)]);
        expect(Date.now() - began).toBeGreaterThan(BODY_SECONDS * 900);
        expect(Date.now() - began).toBeLessThan(BODY_SECONDS * 1000 + 3000);
      }),
    );
    // The upload that broke off is dropped a moment after its client was cut.
    await eventually(content, (now) => isDeepStrictEqual(now, before));
    expect((await send(wire)).status).toBe(202);
    await wire.close();
  },
);

const untilClosed = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.resume().once('close', () => resolve()));

async function sends(edge: TestEdge, alpn: 'http/1.1' | 'h2', ...bytes: (string | Buffer)[]): Promise<void> {
  const socket = await openTls(edge, alpn);
  socket.write(Buffer.concat(bytes.map((each) => Buffer.from(each))));
  await untilClosed(socket);
}

/** One header after the other, and never the last. */
async function drips(edge: TestEdge): Promise<void> {
  const socket = await openTls(edge);
  socket.write('GET /health/ready HTTP/1.1\r\nHost: localhost\r\n');
  const drop = setInterval(() => socket.write('X-More: 1\r\n'), 500);
  await untilClosed(socket);
  clearInterval(drop);
}

async function sendsHalfHeadersByHttp3(edge: TestEdge): Promise<void> {
  const quic = await openQuic(edge);
  const pings = setInterval(() => quic.ping(), 1000);
  const stream = await quic.open('bidirectional');
  await stream.write(encodeFrame(FRAME.HEADERS, encodeFieldSection([[':method', 'GET']])).subarray(0, 3));
  await expect(stream.read().next()).rejects.toThrow('the peer reset the stream');
  clearInterval(pings);
  quic.close();
}

test('who connects and says nothing, or not all of a request, is cut in time; others are served meanwhile', async () => {
  const { edge } = running;
  const preface = ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])];
  const slow: [what: string, once: () => Promise<unknown>][] = [
    ['no handshake', async () => untilClosed(await openTcp(edge))],
    ['no request', () => sends(edge, 'http/1.1', '')],
    ['half a request line', () => sends(edge, 'http/1.1', 'GET /health/re')],
    ['headers without end', () => drips(edge)],
    ['no preface of HTTP/2', () => sends(edge, 'h2', '')],
    ['no request of HTTP/2', () => sends(edge, 'h2', ...preface)],
    ['half a HEADERS frame of HTTP/2', () => sends(edge, 'h2', ...preface, Buffer.from([0, 0, 10, 1, 4, 0, 0, 0, 1, 0x82]))],
    ['HEADERS of HTTP/2 without CONTINUATION', () => sends(edge, 'h2', ...preface, Buffer.from([0, 0, 1, 1, 0, 0, 0, 0, 1, 0x82]))],
    ['no request of HTTP/3', async () => (await openQuic(edge)).ended],
    ['half a HEADERS frame of HTTP/3', () => sendsHalfHeadersByHttp3(edge)],
  ];
  const began = Date.now();
  const times: [what: string, seconds: number][] = [];
  const all = slow.flatMap(([what, once]) =>
    Array.from({ length: 50 }, () => once().then(() => times.push([what, (Date.now() - began) / 1000]))),
  );
  const wire = await Http3Wire.open(edge);
  let isOver = false;
  const over = Promise.all(all).then(() => (isOver = true));
  while (!isOver) {
    const asked = Date.now();
    expect((await send(wire)).status).toBe(202);
    expect(Date.now() - asked).toBeLessThan(5000);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await over;
  await wire.close();
  const longest = Object.fromEntries(
    slow.map(([what]) => [what, Math.max(...times.filter(([name]) => name === what).map(([, seconds]) => seconds))]),
  );
  console.info('cut after, in s', longest);
  expect(Math.max(...times.map(([, seconds]) => seconds))).toBeLessThan(HEADER_SECONDS + IDLE_SECONDS + 10);
}, 60_000);

test('more silent connections than a worker may have make room for who asks, and streams that are open go on', async () => {
  const edge = await TestEdge.start(running.behind, { EDGE_QUIC_BPF: 'off', EDGE_WORKER_CONNECTIONS: '256' });
  const watchers = [await Http3Wire.open(edge), await Http2Wire.open(edge)];
  const heard = watchers.map(() => 0);
  const opened = new Set<number>();
  watchers.forEach((wire, index) => void wire.grpc(watchEvents('', (events) => (opened.add(index), (heard[index]! += events.length)))));
  await eventually(
    () => opened.size,
    (size) => size === watchers.length,
  );
  const silent = await Promise.allSettled([
    ...Array.from({ length: 300 }, () => openTcp(edge)),
    ...Array.from({ length: 300 }, () => openTls(edge)),
  ]);
  for (const [, open] of versions) {
    const wire = await open(edge);
    expect((await send(wire)).status).toBe(202);
    await wire.close();
  }
  await eventually(
    () => heard,
    (counts) => counts.every((count) => count >= versions.length),
  );
  for (const result of silent) if (result.status === 'fulfilled') result.value.destroy();
  await Promise.all(watchers.map((wire) => wire.close()));
  await edge.remove();
}, 60_000);
