import { randomBytes } from 'node:crypto';
import { buffer, text } from 'node:stream/consumers';
import { SeededRandom } from '../faults/seeded-random';
import { Http3Error } from '../http3/http3-error';
import { UdpProxy } from '../http3/udp-proxy';
import { Http2Upstream } from './http2-upstream';
import { Http3Nginx } from './http3-nginx';
import { describeWith } from '../system/provisioned';

const MIB = 1024 * 1024;
/** Of nginx: what it takes to notice that a client has gone. */
const IDLE_SECONDS = 2;

describeWith('nginx')('the HTTP/3 client, nginx and the network between them', () => {
  let upstream: Http2Upstream;
  let nginx: Http3Nginx;

  const head = (method: string, path: string) => ({ method, path, authority: 'localhost' });

  beforeAll(async () => {
    upstream = await Http2Upstream.started();
  });
  afterAll(() => upstream?.close());
  beforeEach(async () => {
    nginx = await Http3Nginx.started(upstream.port, IDLE_SECONDS);
    upstream.on('/echo', (stream) => {
      stream.respond({});
      stream.pipe(stream);
    });
    upstream.on('/hello', (stream) => {
      stream.respond({});
      stream.end('hello');
    });
  });
  afterEach(() => nginx.remove());

  test('a client that moves to another port, again and again, goes on with what it was doing', async () => {
    const connection = await nginx.connect();
    const sent = randomBytes(8 * MIB);
    const stream = connection.request(head('POST', '/echo'), sent);
    const pieces: Buffer[] = [];
    const ports = new Set([connection.port]);
    let read = 0;
    for await (const piece of stream.body) {
      pieces.push(piece);
      read += piece.length;
      if (read < ports.size * MIB) continue;
      await connection.rebind();
      ports.add(connection.port);
    }
    expect(ports.size).toBeGreaterThan(5);
    expect(Buffer.concat(pieces).equals(sent)).toBe(true);
    expect(await text(connection.request(head('GET', '/hello')).body)).toBe('hello');
    connection.close();
  });

  test('with 5% of the datagrams lost and a delay, everything arrives', async () => {
    const proxy = await UdpProxy.before(nginx.port, new SeededRandom(3));
    proxy.drop(0.05);
    proxy.delay(2);
    const connection = await nginx.connect({ port: proxy.port });
    const sent = randomBytes(2 * MIB);
    expect((await buffer(connection.request(head('POST', '/echo'), sent).body)).equals(sent)).toBe(true);
    expect(Math.min(proxy.toServer.dropped, proxy.toClient.dropped)).toBeGreaterThan(10);
    connection.close();
    await proxy.close();
  });

  test('a server that was killed ends everything within the idle timeout', async () => {
    const connection = await nginx.connect({ idleMs: 1000 });
    const reading = connection.start(head('POST', '/echo'));
    await reading.write(Buffer.from('x'));
    await reading.response;
    const writing = (async () => {
      for (;;) await reading.write(Buffer.alloc(MIB));
    })();
    const body = buffer(reading.body);
    nginx.kill();
    const since = performance.now();
    const idle = new Http3Error('idle');
    const ends = [writing, body, reading.trailers, reading.sent, connection.request(head('GET', '/hello')).response];
    for (const end of await Promise.allSettled(ends)) expect(end).toEqual({ status: 'rejected', reason: idle });
    expect(await connection.ended).toEqual(idle);
    expect(performance.now() - since).toBeLessThan(4000);
  });

  test('where nobody answers, opening ends within the idle timeout', async () => {
    nginx.kill();
    await expect(nginx.connect({ idleMs: 300 })).rejects.toEqual(new Http3Error('idle'));
    const early = await nginx.connect({ idleMs: 300, early: true });
    await expect(early.request(head('GET', '/hello')).response).rejects.toEqual(new Http3Error('idle'));
    await expect(early.session()).rejects.toEqual(new Http3Error('idle'));
  });

  test('a client that was killed says nothing: the upstream is told when the server gives it up', async () => {
    const aborted = new Promise<void>((resolve) =>
      upstream.on('/held', (stream) => {
        stream.respond({});
        stream.write('so far');
        stream.on('close', resolve);
      }),
    );
    const connection = await nginx.connect();
    const stream = connection.request(head('GET', '/held'));
    const body = stream.body[Symbol.asyncIterator]();
    await body.next();
    const next = body.next();
    connection.kill();
    const since = performance.now();
    await expect(next).rejects.toEqual(new Http3Error('killed'));
    await aborted;
    expect(performance.now() - since).toBeGreaterThan(IDLE_SECONDS * 1000 - 500);
  });

  test('a client that closes says so: the upstream is told at once', async () => {
    const aborted = new Promise<void>((resolve) =>
      upstream.on('/held', (stream) => {
        stream.respond({});
        stream.on('close', resolve);
      }),
    );
    const connection = await nginx.connect();
    await connection.request(head('GET', '/held')).response;
    connection.close();
    const since = performance.now();
    await aborted;
    expect(performance.now() - since).toBeLessThan(IDLE_SECONDS * 1000 - 500);
  });
});
