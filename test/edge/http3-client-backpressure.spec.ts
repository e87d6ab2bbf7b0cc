import { eventually } from '../eventually';
import { Http2Upstream } from './http2-upstream';
import { Http3Nginx } from './http3-nginx';
import { describeWith } from '../system/provisioned';

const MIB = 1024 * 1024;

describeWith('nginx')('backpressure of the HTTP/3 client before nginx', () => {
  let upstream: Http2Upstream;
  let nginx: Http3Nginx;

  const head = (method: string, path: string) => ({ method, path, authority: 'localhost' });

  beforeAll(async () => {
    upstream = await Http2Upstream.started();
    nginx = await Http3Nginx.started(upstream.port);
  });
  afterAll(async () => {
    await nginx?.remove();
    await upstream?.close();
  });

  // What is written is in nginx and in sockets, megabytes of it.
  test('who does not read holds back the upstream, and gets everything later', async () => {
    let written = 0;
    upstream.on('/large', (stream) => {
      stream.respond({});
      const piece = Buffer.alloc(64 * 1024);
      const write = () => {
        while (written < 32 * MIB) {
          written += piece.length;
          if (!stream.write(piece)) return void stream.once('drain', write);
        }
        stream.end();
      };
      write();
    });
    const connection = await nginx.connect({ window: 256 * 1024 });
    const stream = connection.request(head('GET', '/large'));
    await stream.response;
    expect(await standsStill(() => written)).toBeLessThan(8 * MIB);
    let read = 0;
    for await (const piece of stream.body) read += piece.length;
    expect(read).toBe(32 * MIB);
    connection.close();
  });

  test('an upstream that does not read holds back who writes, and gets everything later', async () => {
    let received = 0;
    const reading = Promise.withResolvers<void>();
    upstream.on('/slow', (stream) => {
      void reading.promise.then(() => stream.on('data', (piece: Buffer) => (received += piece.length)));
      stream.on('end', () => {
        stream.respond({});
        stream.end();
      });
    });
    let taken = 0;
    const connection = await nginx.connect();
    const stream = connection.request(
      head('POST', '/slow'),
      (async function* () {
        const piece = Buffer.alloc(16 * 1024);
        for (; taken < 8 * MIB; taken += piece.length) yield piece;
      })(),
    );
    expect(await standsStill(() => taken)).toBeLessThan(MIB);
    reading.resolve();
    expect((await stream.response).status).toBe(200);
    expect(received).toBe(8 * MIB);
    connection.close();
  });
});

/** The figure, when it has not changed for 300 ms. */
async function standsStill(figure: () => number): Promise<number> {
  let last = { value: figure(), since: performance.now() };
  await eventually(
    () => {
      if (figure() !== last.value) last = { value: figure(), since: performance.now() };
      return performance.now() - last.since;
    },
    (stillMs) => last.value > 0 && stillMs > 300,
  );
  return last.value;
}
