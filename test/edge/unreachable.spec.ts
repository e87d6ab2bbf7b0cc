import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { bearer } from './edge-system';
import { submitEmail } from './mail.calls';
import { errorOf } from './rpc';
import { TestEdge } from './test-edge';
import { restWires } from './wires';

/** Listens, and never takes a connection; what the system takes for it is full. */
const FULL = `const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

async function fullListener(): Promise<{ address: string; close(): void }> {
  const child = spawn(process.execPath, ['-e', FULL], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(text.toString());
  const waiting: Socket[] = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  return {
    address: `127.0.0.1:${port}`,
    close: () => {
      child.kill('SIGKILL');
      for (const socket of waiting) socket.destroy();
    },
  };
}

describe.each<[string, () => Promise<{ address: string; close(): void }>]>([
  ['nothing listens', async () => ({ address: '127.0.0.1:1', close: () => undefined })],
  ['nobody takes connections', fullListener],
])('where %s', (_what, listen) => {
  let behind: { address: string; close(): void };
  let edge: TestEdge;
  beforeAll(async () => {
    behind = await listen();
    edge = await TestEdge.start({ gateway: behind.address, mail: behind.address, search: behind.address });
  }, 30_000);
  afterAll(async () => {
    await edge?.remove();
    behind?.close();
  });

  test.each(restWires)('a caller over %s is told so within seconds, and may try again', async (_name, open) => {
    const wire = await open(edge);
    const began = Date.now();
    const rest = wire.rest({ method: 'POST', path: '/api/v1/mail/send', headers: bearer(), body: Buffer.from('{}') });
    const calls = ['/sky_genesis.SearchService/Search', '/grpc.health.v1.Health/Check'].map((path) => ({
      path,
      requests: [Buffer.alloc(0)],
    }));
    const grpc = await Promise.all(wire.grpc ? [submitEmail('for nobody'), ...calls].map((call) => wire.grpc!(call)) : []);
    for (const answer of grpc) {
      expect(answer).toMatchObject({ httpStatus: 200, status: 14, headers: { 'content-type': 'application/grpc', 'retry-after': '1' } });
      expect(errorOf(answer)).toMatchObject({ reason: 'SERVICE_UNAVAILABLE', details: { retryAfterSeconds: 1 } });
    }
    const { status, headers, body } = await rest;
    expect({ status, headers }).toMatchObject({ status: 503, headers: { 'content-type': 'application/problem+json', 'retry-after': '1' } });
    expect(JSON.parse(body!.toString())).toMatchObject({ status: 503, code: 'SERVICE_UNAVAILABLE', request_id: headers['x-request-id'] });
    // Of 4 s to connect.
    expect(Date.now() - began).toBeLessThan(8000);
    await wire.close();
  });
});
