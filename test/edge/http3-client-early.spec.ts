import { text } from 'node:stream/consumers';
import { eventually } from '../eventually';
import { SeededRandom } from '../faults/seeded-random';
import type { QuicOptions } from '../http3/quic-connection';
import { replayDatagrams } from '../http3/replay-datagrams';
import { UdpProxy } from '../http3/udp-proxy';
import { Http2Upstream } from './http2-upstream';
import { Http3Nginx } from './http3-nginx';
import { describeWith } from '../system/provisioned';

const DELAY_MS = 60;

describeWith('nginx')('0-RTT of the HTTP/3 client before nginx', () => {
  let upstream: Http2Upstream;
  let nginx: Http3Nginx;
  let session: Buffer;

  const get = (path: string) => ({ method: 'GET', path, authority: 'localhost' });
  const answerEarlyData = (path: string) =>
    upstream.on(path, (stream, headers) => {
      stream.respond({});
      stream.end(`early: ${String(headers['early-data'] ?? 'no')}`);
    });

  beforeAll(async () => {
    upstream = await Http2Upstream.started();
    nginx = await Http3Nginx.started(upstream.port);
  });
  afterAll(async () => {
    await nginx?.remove();
    await upstream?.close();
  });
  beforeEach(async () => {
    const first = await nginx.connect();
    session = await first.session();
    expect(first.earlyAccepted).toBeUndefined();
    first.close();
  });

  test('a GET goes with the first flight of a resumed connection, and is answered', async () => {
    answerEarlyData('/early');
    const connection = await nginx.connect({ session, early: true });
    const stream = connection.request(get('/early'));
    expect(await text(stream.body)).toBe('early: 1');
    expect([connection.protocol, connection.earlyAccepted]).toEqual(['h3', true]);
    await connection.established;
    await eventually(
      () => nginx.accessLog(),
      (lines) => lines.includes('/early early=1'),
    );
    connection.close();
  });

  test('where early data is refused, the request is sent again after the handshake, and answered once', async () => {
    answerEarlyData('/refused-early');
    const connection = await nginx.connect({ session, early: true, port: nginx.portWithoutEarly });
    expect(await text(connection.request(get('/refused-early')).body)).toBe('early: no');
    expect(connection.earlyAccepted).toBe(false);
    expect(upstream.timesAsked('/refused-early')).toBe(1);
    connection.close();
  });

  test('a resumed connection that is not asked to be early waits for the handshake', async () => {
    answerEarlyData('/resumed');
    const connection = await nginx.connect({ session });
    expect(await text(connection.request(get('/resumed')).body)).toBe('early: no');
    expect(connection.earlyAccepted).toBeUndefined();
    connection.close();
  });

  test('without a session there is nothing to be early with: the request waits', async () => {
    answerEarlyData('/first');
    const connection = await nginx.connect({ early: true });
    expect(await text(connection.request(get('/first')).body)).toBe('early: no');
    expect(connection.earlyAccepted).toBeUndefined();
    connection.close();
  });

  test('early data saves a round trip', async () => {
    answerEarlyData('/timed');
    const proxy = await UdpProxy.before(nginx.port, new SeededRandom(1));
    proxy.delay(DELAY_MS);
    const timeToAnswer = async (options: Partial<QuicOptions>) => {
      const since = performance.now();
      const connection = await nginx.connect({ port: proxy.port, ...options });
      await connection.request(get('/timed')).response;
      const tookMs = performance.now() - since;
      connection.close();
      return tookMs;
    };
    // The least of three: a busy machine adds to each what it likes.
    const leastTime = async (options: Partial<QuicOptions>) =>
      Math.min(await timeToAnswer(options), await timeToAnswer(options), await timeToAnswer(options));
    const withHandshake = await leastTime({ session });
    const early = await leastTime({ session, early: true });
    await proxy.close();
    expect(withHandshake).toBeGreaterThanOrEqual(4 * DELAY_MS - 5);
    expect(early).toBeGreaterThanOrEqual(2 * DELAY_MS - 5);
    expect(withHandshake - early).toBeGreaterThan(DELAY_MS);
  });

  test('a first flight that was recorded asks the upstream again when it is replayed', async () => {
    answerEarlyData('/replayed');
    const connection = await nginx.connect({ session, early: true, record: true });
    await connection.request(get('/replayed')).response;
    const firstFlight = connection.recorded.slice(0, 2);
    connection.close();
    // While nginx knows the connection, a replay is part of it.
    const times = () => upstream.timesAsked('/replayed');
    await eventually(
      async () => (await replayDatagrams(firstFlight, nginx.port), times()),
      (asked) => asked > 1,
    );
  });

  test('no more than the first 100 datagrams are recorded', async () => {
    upstream.on('/sink', (stream) => {
      stream.resume();
      stream.on('end', () => stream.respond({}, { endStream: true }));
    });
    const connection = await nginx.connect({ record: true });
    await connection.request({ ...get('/sink'), method: 'POST' }, Buffer.alloc(1024 * 1024)).response;
    expect(connection.recorded).toHaveLength(100);
    connection.close();
  });
});
