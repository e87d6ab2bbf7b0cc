import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { Http3Wire } from './http3.wire';
import { encoded, errorOf } from './rpc';
import { makeAuthority, makeCertificate } from './test-certificates';
import { TestEdge } from './test-edge';

const CHECK = '/grpc.health.v1.Health/Check';

/** Health on a grpc-js server with TLS stands for the services (test/mesh/mutual-tls has the real ones), an HTTPS server for the gateway. */
let folder: string;
let grpc: Server;
let grpcAddress: string;
let https: HttpsServer;
let httpsAddress: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sge-edge-tls-'));
  makeAuthority(folder, 'ca');
  makeAuthority(folder, 'other-ca');
  makeCertificate(folder, 'mail', 'ca');
  makeCertificate(folder, 'gateway', 'ca');
  makeCertificate(folder, 'edge', 'ca');
  makeCertificate(folder, 'stranger', 'other-ca');

  grpc = new Server();
  new HealthImplementation({ '': 'SERVING' }).addToServer(grpc);
  const pair = { private_key: read('mail.key'), cert_chain: read('mail.pem') };
  const port = await new Promise<number>((resolve, reject) =>
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(read('ca.pem'), [pair], true), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  grpcAddress = `127.0.0.1:${port}`;
  https = createServer(
    { key: read('gateway.key'), cert: read('gateway.pem'), ca: read('ca.pem'), requestCert: true },
    (_request, response) => response.end('from the gateway'),
  );
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
  httpsAddress = `127.0.0.1:${(https.address() as AddressInfo).port}`;
}, 30_000);

afterAll(async () => {
  grpc?.forceShutdown();
  await new Promise((resolve) => (https ? https.close(resolve) : resolve(undefined)));
  rmSync(folder, { recursive: true, force: true });
});

const mutual = (): Record<string, string> => ({
  EDGE_UPSTREAM_TLS: 'all',
  EDGE_UPSTREAM_CA: join(folder, 'ca.pem'),
  EDGE_UPSTREAM_CERT: join(folder, 'edge.pem'),
  EDGE_UPSTREAM_KEY: join(folder, 'edge.key'),
});

test('with the right CA, name and certificate both wires pass', async () => {
  await withEdge(mutual(), async (wire) => {
    expect(await wire.grpc({ path: CHECK, requests: [encoded(CHECK, {})] })).toMatchObject({ httpStatus: 200, status: 0 });
    const answer = await wire.rest({ method: 'GET', path: '/api/v1/mail' });
    expect([answer.status, answer.body?.toString()]).toEqual([200, 'from the gateway']);
  });
});

test.each<[what: string, settings: () => Record<string, string>]>([
  ['another CA', () => ({ EDGE_UPSTREAM_CA: join(folder, 'other-ca.pem') })],
  ['another name', () => ({ EDGE_MAIL_NAME: 'search', EDGE_GATEWAY_NAME: 'mail' })],
])('an app whose certificate is of %s is told nothing', async (_what, settings) => {
  await withEdge({ ...mutual(), ...settings() }, async (wire) => {
    const refused = await wire.grpc({ path: CHECK, requests: [encoded(CHECK, {})] });
    expect([refused.status, errorOf(refused).reason]).toEqual([14, 'SERVICE_UNAVAILABLE']);
    expect((await wire.rest({ method: 'GET', path: '/api/v1/mail' })).status).toBe(503);
  });
});

test('a service that asks for a certificate does not take one of another CA', async () => {
  const stranger = { EDGE_UPSTREAM_CERT: join(folder, 'stranger.pem'), EDGE_UPSTREAM_KEY: join(folder, 'stranger.key') };
  await withEdge({ ...mutual(), ...stranger }, async (wire) => {
    expect((await wire.grpc({ path: CHECK, requests: [encoded(CHECK, {})] })).status).toBe(14);
  });
});

test('TLS without a CA does not start: what is not verified is not encrypted to anyone', async () => {
  await expect(TestEdge.start({}, { EDGE_UPSTREAM_TLS: 'grpc' })).rejects.toThrow(/EDGE_UPSTREAM_CA: must be a file/);
});

async function withEdge(settings: Record<string, string>, use: (wire: Http3Wire) => Promise<void>): Promise<void> {
  const edge = await TestEdge.start({ mail: grpcAddress, gateway: httpsAddress }, settings);
  try {
    const wire = await Http3Wire.open(edge);
    await use(wire);
    await wire.close();
  } finally {
    await edge.remove();
  }
}

const read = (name: string): Buffer => readFileSync(join(folder, name));
