import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { eventually } from '../eventually';
import { bearer, type EdgeSystem, startEdgeSystem } from './edge-system';
import type { EdgeWire, RestAnswer } from './edge.wire';
import { Http1Wire } from './http1.wire';
import { Http2Wire } from './http2.wire';
import { Http3Wire } from './http3.wire';
import { encoded, errorOf } from './rpc';
import { TestEdge } from './test-edge';

const LIST = '/sky_genesis.MailService/ListEmails';
const readMails = { method: 'GET', path: '/api/v1/mail', headers: bearer() };
const sendMail = { method: 'POST', path: '/api/v1/mail/send', headers: { ...bearer(), 'content-type': 'application/json' } };

let running: EdgeSystem;
beforeAll(async () => {
  running = await startEdgeSystem();
}, 90_000);
afterAll(() => running?.stop());

const wires: [name: string, open: (edge: TestEdge) => Promise<EdgeWire>][] = [
  ['HTTP/3', (edge) => Http3Wire.open(edge)],
  ['HTTP/2', (edge) => Http2Wire.open(edge)],
  ['HTTP/1.1', (edge) => Promise.resolve(new Http1Wire(edge))],
];

async function withEdge(settings: Record<string, string>, use: (edge: TestEdge) => Promise<void>): Promise<void> {
  const edge = await TestEdge.start(running.behind, settings);
  try {
    await use(edge);
  } finally {
    await edge.remove();
  }
}

const problem = ({ body }: RestAnswer): unknown => JSON.parse(body!.toString());

describe.each(wires)('too many requests over %s', (_name, open) => {
  test('of one address: 429 with Retry-After, RESOURCE_EXHAUSTED with RetryInfo, and served again a second later', async () => {
    await withEdge({ EDGE_REQUESTS_PER_SECOND: '10' }, async (edge) => {
      const wire = await open(edge);
      const answers = await Promise.all(Array.from({ length: 60 }, () => wire.rest(readMails)));
      const refused = answers.filter(({ status }) => status === 429);
      expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(10);
      expect(refused.length).toBeGreaterThanOrEqual(20);
      expect(refused[0]).toMatchObject({ headers: { 'retry-after': '1', 'content-type': 'application/problem+json' } });
      expect(problem(refused[0]!)).toMatchObject({ status: 429, title: 'Too Many Requests', code: 'RATE_LIMITED' });
      if (wire.grpc) {
        const calls = await Promise.all(
          Array.from({ length: 40 }, () => wire.grpc!({ path: LIST, metadata: bearer(), requests: [encoded(LIST, {})] })),
        );
        const tooMany = calls.find(({ status }) => status !== 0);
        expect(tooMany).toMatchObject({ httpStatus: 200, status: 8 });
        expect(errorOf(tooMany!)).toMatchObject({ reason: 'RATE_LIMITED', details: { retryAfterSeconds: 1 } });
      }
      await eventually(
        () => wire.rest(readMails),
        ({ status }) => status === 200,
      );
      await wire.close();
    });
  });

  test('with one token, from as many connections as it likes; another token is served', async () => {
    await withEdge({ EDGE_TOKEN_REQUESTS_PER_SECOND: '10' }, async (edge) => {
      const several = await Promise.all([open(edge), open(edge), open(edge)]);
      const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => several[at % 3]!.rest(readMails)));
      const other = await several[0]!.rest({ ...readMails, headers: bearer({ sub: 'another' }) });
      expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(20);
      expect(other.status).toBe(200);
      await Promise.all(several.map((wire) => wire.close()));
    });
  });
});

test('more requests under way of one address than it may have are refused, and those under way are not harmed', async () => {
  await withEdge({ EDGE_REQUESTS_AT_ONCE: '4' }, async (edge) => {
    const wire = await Http3Wire.open(edge);
    const path = '/sky_genesis.MailService/WatchEvents';
    const watch = () => wire.grpc({ path, metadata: bearer(), requests: [encoded(path, {})], cancelAfterMs: 1500 });
    const watching = [watch(), watch(), watch(), watch()];
    await eventually(
      () => wire.rest(readMails),
      ({ status }) => status === 429,
    );
    for (const answer of await Promise.all(watching)) expect([answer.httpStatus, answer.responses.length > 0]).toEqual([200, true]);
    await eventually(
      () => wire.rest(readMails),
      ({ status }) => status === 200,
    );
    await wire.close();
  });
});

describe.each(wires)('a slow client over %s', (_name, open) => {
  test('whose body stands still is given up after EDGE_BODY_TIMEOUT_SECONDS, and others are served meanwhile', async () => {
    await withEdge({ EDGE_BODY_TIMEOUT_SECONDS: '1' }, async (edge) => {
      const slow = await open(edge);
      const began = Date.now();
      // It says that more will come than does.
      const answering = slow.rest({
        ...sendMail,
        body: Buffer.from('{"to":['),
        keepOpen: true,
        headers: { ...sendMail.headers, 'content-length': '1000' },
      });
      const other = await open(edge);
      expect((await other.rest(readMails)).status).toBe(200);
      const answer = await answering;
      // nginx resets such a stream, and answers no more.
      expect(answer).toMatchObject({ error: expect.any(String) });
      expect(Date.now() - began).toBeLessThan(6000);
      expect(await edge.line(({ path }) => path === sendMail.path)).toMatchObject({ status: 408 });
      await Promise.all([slow.close(), other.close()]);
    });
  }, 40_000);
});

test('connections that say nothing, or half a request, are closed by the edge', async () => {
  await withEdge({ EDGE_IDLE_TIMEOUT_SECONDS: '2' }, async (edge) => {
    const silent = connectTcp({ port: edge.port, host: '127.0.0.1' });
    const half = connect({ port: edge.port, host: '127.0.0.1', servername: 'localhost', ca: edge.ca, ALPNProtocols: ['http/1.1'] });
    await once(half, 'secureConnect');
    half.write('GET /health/ready HTTP/1.1\r\nHost: localhost\r\n');
    const gone = (socket: Socket) =>
      new Promise<void>(
        (resolve) =>
          void socket
            .on('error', () => undefined)
            .on('data', () => undefined)
            .once('close', () => resolve()),
      );
    await Promise.all([gone(silent), gone(half)]);
  });
}, 40_000);

test('a flood from one address leaves another served', async () => {
  await withEdge({ EDGE_REQUESTS_PER_SECOND: '50', EDGE_WORKERS: '1' }, async (edge) => {
    const flooding = await Http2Wire.open(edge, '127.0.0.2');
    const flood = Promise.all(Array.from({ length: 3000 }, () => flooding.rest(readMails)));
    const calm = await Http3Wire.open(edge);
    for (let time = 0; time < 20; time++) expect((await calm.rest(readMails)).status).toBe(200);
    const answers = await flood;
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(1000);
    expect([...new Set(answers.map(({ status, error }) => status ?? error))].sort()).toEqual([200, 429]);
    await Promise.all([flooding.close(), calm.close()]);
  });
}, 60_000);
