import { bearer, type EdgeSystem, startEdgeSystem } from './edge-system';
import type { EdgeWire, RestAnswer } from './edge.wire';
import { Http2Wire } from './http2.wire';
import { Http3Wire } from './http3.wire';
import { eventually } from '../eventually';
import { floodByHttp2, floodByHttp3, type Statuses } from './flood';
import { submitEmail, watchEvents } from './mail.calls';
import { errorOf } from './rpc';
import { TestEdge } from './test-edge';
import { versions } from './wires';

const READ = { method: 'GET', path: '/api/v1/mail' };

let running: EdgeSystem;
beforeAll(async () => {
  running = await startEdgeSystem();
}, 90_000);
afterAll(() => running?.stop());

async function withEdge(settings: Record<string, string>, use: (edge: TestEdge) => Promise<void>): Promise<void> {
  const edge = await TestEdge.start(running.behind, settings);
  try {
    await use(edge);
  } finally {
    await edge.remove();
  }
}

const expectLimited = ({ status, headers, body }: RestAnswer): void => {
  expect({ status, headers }).toMatchObject({ status: 429, headers: { 'content-type': 'application/problem+json', 'retry-after': '1' } });
  expect(JSON.parse(body!.toString())).toMatchObject({ status: 429, code: 'RATE_LIMITED', request_id: headers['x-request-id'] });
};

describe.each(versions)('over %s', (_name, open) => {
  test('more requests a second of one address than EDGE_REQUESTS_PER_SECOND, and as many at once, are told to wait; then it is served', () =>
    withEdge({ EDGE_REQUESTS_PER_SECOND: '5' }, async (edge) => {
      const wire = await open(edge);
      const ask = () => wire.rest({ ...READ, headers: bearer({ sub: `user-${Math.random()}` }) });
      const answers = await Promise.all(Array.from({ length: 30 }, ask));
      const served = answers.filter(({ status }) => status === 200).length;
      expect(served).toBeGreaterThanOrEqual(6);
      expect(served).toBeLessThan(20);
      const limited = answers.filter(({ status }) => status !== 200);
      limited.forEach(expectLimited);
      if (wire.grpc) {
        const answers = await Promise.all(Array.from({ length: 20 }, () => wire.grpc!(submitEmail('one of many'))));
        const refused = answers.filter(({ status }) => status !== 0);
        expect(refused.length).toBeGreaterThan(0);
        for (const answer of refused) {
          expect([answer.httpStatus, answer.status]).toEqual([200, 8]);
          expect(errorOf(answer)).toMatchObject({ reason: 'RATE_LIMITED', details: { retryAfterSeconds: 1 } });
        }
      }
      await eventually(ask, ({ status }) => status === 200);
      await wire.close();
    }));

  test('a token has its own limit, over all its connections, and others are served meanwhile', () =>
    withEdge({ EDGE_TOKEN_REQUESTS_PER_SECOND: '5' }, async (edge) => {
      const connections = await Promise.all(Array.from({ length: 4 }, () => open(edge)));
      const headers = bearer({ sub: 'busy' });
      const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => connections[index % 4]!.rest({ ...READ, headers })));
      const limited = answers.filter(({ status }) => status !== 200);
      expect(limited.length).toBeGreaterThan(20);
      limited.forEach(expectLimited);
      expect((await connections[0]!.rest({ ...READ, headers: bearer({ sub: 'another' }) })).status).toBe(200);
      await eventually(
        () => connections[1]!.rest({ ...READ, headers }),
        ({ status }) => status === 200,
      );
      await Promise.all(connections.map((wire) => wire.close()));
    }));
});

describe.each(versions.slice(0, 2))('over %s', (_name, open) => {
  test('more requests at once than EDGE_REQUESTS_AT_ONCE are told to wait; when some are over it is served', () =>
    withEdge({ EDGE_REQUESTS_AT_ONCE: '10' }, async (edge) => {
      const wire = await open(edge);
      let opened = 0;
      const streams = Array.from({ length: 10 }, () => wire.grpc!({ ...watchEvents('', () => opened++), cancelAfterMs: 3000 }));
      await eventually(
        () => opened,
        (count) => count === 10,
      );
      expectLimited(await wire.rest({ ...READ, headers: bearer() }));
      expect(await wire.grpc!(submitEmail('too many'))).toMatchObject({ httpStatus: 200, status: 8 });
      await Promise.all(streams);
      await eventually(
        () => wire.grpc!(submitEmail('after them')),
        ({ status }) => status === 0,
      );
      await wire.close();
    }));
});

const FLOOD = 4000;
const flood = bearer({ sub: 'flooder' });

describe.each<[string, floods: (edge: TestEdge) => Promise<Statuses>, other: (edge: TestEdge) => Promise<EdgeWire>]>([
  ['HTTP/2', (edge) => floodByHttp2(edge, '127.0.0.2', READ.path, flood, FLOOD), (edge) => Http3Wire.open(edge)],
  ['HTTP/3', (edge) => floodByHttp3(edge, READ.path, flood, FLOOD), (edge) => Http2Wire.open(edge, '127.0.0.2')],
])('a flood from one address over %s', (_name, floods, openOther) => {
  test('is refused, and a client of another address is served', () =>
    withEdge({ EDGE_REQUESTS_PER_SECOND: '50', EDGE_REQUESTS_AT_ONCE: '20' }, async (edge) => {
      const other = await openOther(edge);
      let isOver = false;
      const flooding = floods(edge).finally(() => (isOver = true));
      const took: number[] = [];
      while (!isOver) {
        const began = Date.now();
        expect(await other.rest({ ...READ, headers: bearer() })).toMatchObject({ status: 200 });
        took.push(Date.now() - began);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const statuses = await flooding;
      await other.close();
      const longest = Math.max(...took);
      console.info(`the flood: ${JSON.stringify(statuses)}; the other client: ${took.length} times served, within ${longest} ms`);
      expect(Object.keys(statuses).sort()).toEqual(['200', '429']);
      expect(statuses['429']).toBeGreaterThan(FLOOD / 2);
      expect(longest).toBeLessThan(5000);
    }));
});
