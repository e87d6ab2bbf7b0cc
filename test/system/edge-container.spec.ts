import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { acceptsConnections } from '../../tools/stack/readiness';
import { eventually } from '../eventually';
import { Http3Connection } from '../http3/http3-connection';
import { buildEdgeImage, docker, EdgeContainer, settingsOf } from './edge-container';
import { curlPath, describeWith } from './provisioned';

const run = promisify(execFile);

describeWith('docker', 'curl-http3')('the image of the edge', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sge-edge-container-'));
  const caFile = join(folder, 'ca.pem');
  let image: string;
  let edge: EdgeContainer;

  beforeAll(async () => {
    image = await buildEdgeImage();
    edge = await EdgeContainer.start(image);
    await edge.health();
    writeFileSync(caFile, await edge.ca());
  }, 300_000);

  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await edge?.remove();
    if (image) await docker('image', 'rm', image);
  }, 60_000);

  /** The answer's head, and its body. */
  async function curl(...args: string[]): Promise<string> {
    const { stdout } = await run(curlPath, ['-sS', '-i', '--max-time', '10', '--cacert', caFile, ...args]);
    return stdout;
  }
  const url = (path: string): string => `https://localhost:${edge.port}${path}`;

  test('becomes healthy, and answers over HTTP/3 through its mapped port, which it tells by Alt-Svc', async () => {
    expect(await edge.health()).toBe('healthy');
    const ready = await curl('--http3-only', url('/health/ready'));
    expect(ready).toMatch(/^HTTP\/3 200/);
    expect(ready).toContain(`alt-svc: h3=":${edge.port}"; ma=86400`);
    expect(ready).toContain('"protocol":"HTTP/3.0"');
    expect(await curl('--http2', url('/health/ready'))).toMatch(/^HTTP\/2 200/);
  });

  test('runs as www-data, all of it', async () => {
    expect(await edge.exec('id', '-un')).toBe('www-data');
    const statuses = await edge.exec('sh', '-c', 'cat /proc/[0-9]*/status');
    const users = [...statuses.matchAll(/^Uid:\s+(\d+)/gm)].map(([, user]) => user);
    expect(users.length).toBeGreaterThan(1);
    expect(new Set(users)).toEqual(new Set([await edge.exec('id', '-u')]));
  });

  test('says in the words of each wire that nothing is behind it', async () => {
    expect(await curl('--http3-only', url('/api/v1/mail'))).toMatch(
      /^HTTP\/3 503[^]*application\/problem\+json[^]*"code":"SERVICE_UNAVAILABLE"/,
    );
    const health = ['-X', 'POST', '-H', 'content-type: application/grpc', url('/grpc.health.v1.Health/Check')];
    expect(await curl('--http3-only', ...health)).toMatch(/^HTTP\/3 200[^]*\ngrpc-status: 14\r/);
  });

  test('logs a JSON line for each request', async () => {
    const id = `logged-${process.pid}`;
    await curl('--http3-only', '-H', `x-request-id: ${id}`, url('/health/live'));
    const logged = await eventually(
      async () => (await docker('logs', edge.id)).split('\n').find((line) => line.includes(id)),
      (line) => line !== undefined,
    );
    expect(JSON.parse(logged ?? '')).toMatchObject({ protocol: 'HTTP/3.0', method: 'GET', path: '/health/live', status: 200 });
  });

  test('docker stop lets what is under way end, and then ends it with 0', async () => {
    const underWay = Promise.withResolvers<ServerResponse>();
    const gateway = createServer((_request, response) => underWay.resolve(response)).listen(0, '127.0.0.1');
    await eventually(() => gateway.listening, Boolean);
    const { port } = gateway.address() as AddressInfo;
    const before = await EdgeContainer.startOnHost(image, { EDGE_GATEWAY_ADDR: `127.0.0.1:${port}` });
    try {
      expect(await before.health()).toBe('healthy');
      const client = await Http3Connection.open({ host: '127.0.0.1', port: before.port, serverName: 'localhost', ca: await before.ca() });
      const stream = client.request({ method: 'GET', path: '/api/v1/mail', authority: `localhost:${before.port}` });
      const response = await underWay.promise;
      // In time: it would be killed, which is 137.
      const stopped = docker('stop', '-t', '20', before.id);
      await eventually(
        () => acceptsConnections(before.port),
        (accepts) => !accepts,
      );
      response.end('at last');
      expect((await stream.response).status).toBe(200);
      await stopped;
      expect(await before.inspect('.State.ExitCode')).toBe('0');
      client.close();
    } finally {
      await before.remove();
      gateway.closeAllConnections();
      gateway.close();
    }
  }, 60_000);

  test('a wrong setting is told, and it does not start', async () => {
    const wrong = settingsOf({ EDGE_WORKERS: 'many', EDGE_TLS_MIN_VERSION: '1.1' });
    await expect(docker('run', '--rm', ...wrong, image)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^edge: EDGE_TLS_MIN_VERSION: "1\.1" must match .*\nedge: EDGE_WORKERS: "many" must match .*\n$/),
    });
  }, 60_000);
});
