import { execFile } from 'node:child_process';
import { type AddressInfo, connect, createServer } from 'node:net';
import { promisify } from 'node:util';
import { readOnlyRpcs, rpcs } from '@sky-genesis/grpc';
import { SeededRandom } from '../faults/seeded-random';
import { Http3Connection } from '../http3/http3-connection';
import type { QuicOptions } from '../http3/quic-connection';
import { replayDatagrams } from '../http3/replay-datagrams';
import { UdpProxy } from '../http3/udp-proxy';
import { bearer, type EdgeSystem, startEdgeSystem } from './edge-system';
import type { RestCall } from './edge.wire';
import { Http3Wire } from './http3.wire';
import { encoded, errorOf } from './rpc';
import { TestEdge } from './test-edge';

const JSON_BODY = { 'content-type': 'application/json' };
const MAIL = '/sky_genesis.MailService';
const mail = { from: 'sender@example.com', to: ['recipient@example.com'], subject: 'too early' };
const sendMail: RestCall = {
  method: 'POST',
  path: '/api/v1/mail/send',
  headers: { ...bearer(), ...JSON_BODY },
  body: Buffer.from(JSON.stringify(mail)),
};
const readMails: RestCall = { method: 'GET', path: '/api/v1/mail', headers: bearer() };

let running: EdgeSystem;
beforeAll(async () => {
  running = await startEdgeSystem();
}, 90_000);
afterAll(() => running?.stop());

const mailsAccepted = async (): Promise<number> => (await running.system.database.query('select from email')).length;

/** What resumes a connection to an edge. */
async function sessionOf(edge = running.edge): Promise<Buffer> {
  const wire = await Http3Wire.open(edge);
  const session = await wire.connection.session();
  await wire.close();
  return session;
}

const resumed = (session: Buffer, edge = running.edge, options: Partial<QuicOptions> = {}): Promise<Http3Wire> =>
  Http3Wire.open(edge, { session, early: true, ...options });

test('a GET of a resumed connection is answered from early data', async () => {
  const wire = await resumed(await sessionOf());
  const answer = await wire.rest({ ...readMails, headers: { ...readMails.headers, 'x-request-id': 'early-get' } });
  expect(answer.status).toBe(200);
  expect(wire.connection.earlyAccepted).toBe(true);
  expect(await running.edge.line(({ request_id }) => request_id === 'early-get')).toMatchObject({ early_data: true, session_reused: true });
  await wire.close();
});

test('it saves the round trip of the handshake', async () => {
  const delayMs = 50;
  const proxy = await UdpProxy.before(running.edge.port, new SeededRandom(1));
  try {
    proxy.delay(delayMs);
    const at = { ...running.edge.address, port: proxy.port };
    const timed = async (options: Partial<QuicOptions>): Promise<number> => {
      const began = performance.now();
      const connection = await Http3Connection.open({ ...at, ...options });
      const stream = connection.request({ method: 'GET', path: readMails.path, authority: 'localhost', headers: readMails.headers! });
      expect((await stream.response).status).toBe(200);
      const took = performance.now() - began;
      connection.close();
      return took;
    };
    const session = await sessionOf();
    const roundTrip = 2 * delayMs;
    const without = await timed({});
    const withEarlyData = await timed({ session, early: true });
    console.info(
      `first byte, ${roundTrip} ms a round trip: ${without.toFixed(0)} ms after a handshake, ${withEarlyData.toFixed(0)} ms in early data`,
    );
    expect(without).toBeGreaterThanOrEqual(2 * roundTrip);
    expect(withEarlyData).toBeGreaterThanOrEqual(roundTrip);
    // A round trip less; the rest is the machine's.
    expect(withEarlyData).toBeLessThan(without - roundTrip / 2);
  } finally {
    await proxy.close();
  }
});

test('a mail in early data is 425, and is sent once when it comes again after the handshake', async () => {
  const before = await mailsAccepted();
  const wire = await resumed(await sessionOf());
  const early = await wire.rest(sendMail);
  expect(early).toMatchObject({ status: 425, headers: { 'content-type': 'application/problem+json', 'retry-after': '0' } });
  expect(JSON.parse(early.body!.toString())).toMatchObject({ status: 425, title: 'Too Early', code: 'TOO_EARLY' });
  expect(await mailsAccepted()).toBe(before);
  await wire.connection.established;
  expect((await wire.rest(sendMail)).status).toBe(202);
  expect(await mailsAccepted()).toBe(before + 1);
  await wire.close();
});

test('on gRPC as well: 425 and UNAVAILABLE with its reason, then once', async () => {
  const before = await mailsAccepted();
  const wire = await resumed(await sessionOf());
  const path = `${MAIL}/SubmitEmail`;
  const call = { path, metadata: bearer(), requests: [encoded(path, { email: mail })] };
  const early = await wire.grpc(call);
  expect(early).toMatchObject({ httpStatus: 425, status: 14, headers: { 'content-type': 'application/grpc', 'grpc-status': '14' } });
  expect(errorOf(early)).toMatchObject({ reason: 'TOO_EARLY', details: { retryAfterSeconds: 0 } });
  expect(await mailsAccepted()).toBe(before);
  await wire.connection.established;
  expect((await wire.grpc(call)).status).toBe(0);
  expect(await mailsAccepted()).toBe(before + 1);
  await wire.close();
});

test('of the RPCs of the contract those run early that only read, and no other', async () => {
  for (const rpc of Object.keys(rpcs)) {
    const path = `/sky_genesis.${rpc}`;
    const wire = await resumed(await sessionOf());
    const requestId = `early-${rpc.replace('/', '.')}`;
    const answer = await wire.grpc({
      path,
      metadata: { ...bearer(), 'x-request-id': requestId },
      requests: [encoded(path, {})],
      cancelAfterMs: 1000,
    });
    const line = await running.edge.line(({ request_id }) => request_id === requestId);
    expect([rpc, line.early_data, answer.httpStatus]).toEqual([rpc, true, readOnlyRpcs.has(path) ? 200 : 425]);
    await wire.close();
  }
}, 60_000);

test.each<[what: string, open: (wire: Http3Wire) => Promise<unknown>]>([
  ['a mail by REST', (wire) => wire.rest(sendMail)],
  [
    'a mail by gRPC',
    (wire) => wire.grpc({ path: `${MAIL}/SubmitEmail`, metadata: bearer(), requests: [encoded(`${MAIL}/SubmitEmail`, { email: mail })] }),
  ],
  ['a file', (wire) => wire.rest({ method: 'PUT', path: '/api/v1/files/by-name/a.txt', headers: bearer(), body: Buffer.from('a file') })],
])(
  'a recorded first flight with %s, sent 50 times more, changes nothing',
  async (_what, send) => {
    const tables = ['email', 'recipient', 'job', 'event', 'idempotency_key', 'upload', 'file', 'content'];
    const rows = () =>
      Promise.all(tables.map(async (table) => [table, await running.system.database.query(`select count(*) from ${table}`)]));
    const session = await sessionOf();
    const before = await rows();
    const wire = await resumed(session, running.edge, { record: true });
    await send(wire);
    const flight = [...wire.connection.recorded];
    await wire.close();
    expect(wire.connection.earlyAccepted).toBe(true);
    let answered = 0;
    for (let time = 0; time < 50; time++) if ((await replayDatagrams(flight, running.edge.port, 50)) > 0) answered++;
    // The edge takes replays for new connections: this is what the gate is for.
    expect(answered).toBeGreaterThan(0);
    expect(await rows()).toEqual(before);
  },
  60_000,
);

test('the early data of TLS on TCP goes by the same rules', async () => {
  const { edge } = running;
  const proxy = await firstFlights(edge.port);
  const talk = async (port: number, ...args: string[]): Promise<string> => {
    const names = ['-servername', 'localhost', '-CAfile', edge.caFile];
    const talking = promisify(execFile)('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...names, '-ign_eof', ...args], {
      timeout: 10_000,
      env: edge.tools,
    });
    talking.child.stdin!.end(args.includes('-sess_out') ? requestOf('GET /health/ready', 'tcp-first') : '');
    return (await talking.catch((error: { stdout: string }) => error)).stdout;
  };
  try {
    for (const [line, id, status] of [
      ['GET /api/v1/mail', 'tcp-early-get', 200],
      ['POST /api/v1/mail/send', 'tcp-early-post', 425],
    ] as const) {
      const session = edge.fileOf('session');
      await talk(edge.port, '-sess_out', session);
      // The handshake is never done, as it is with a replay.
      const early = edge.fileOf('early', requestOf(line, id));
      expect(await talk(proxy.port, '-sess_in', session, '-early_data', early)).toContain(`HTTP/1.1 ${status} `);
      expect(await edge.line(({ request_id }) => request_id === id)).toMatchObject({ status, early_data: true, protocol: 'HTTP/1.1' });
    }
  } finally {
    proxy.close();
  }
});

const requestOf = (line: string, id: string): string =>
  [
    `${line} HTTP/1.1`,
    'Host: localhost',
    `X-Request-Id: ${id}`,
    `Authorization: ${bearer().authorization}`,
    'Content-Length: 0',
    'Connection: close',
    '',
    '',
  ].join('\r\n');

/** Between clients and the edge on TCP: lets pass what a client sends before it is answered, and nothing of it later. */
async function firstFlights(port: number): Promise<{ port: number; close(): void }> {
  const server = createServer((client) => {
    const upstream = connect({ port, host: '127.0.0.1' });
    let answered = false;
    upstream.once('data', () => (answered = true));
    client.on('data', (bytes) => void (answered || upstream.write(bytes)));
    upstream.pipe(client);
    for (const socket of [client, upstream])
      socket.on('error', () => undefined).on('close', () => [client, upstream].forEach((each) => each.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

test('tickets are good in another instance that has the keys and the certificate, and after the keys moved on, until twice', async () => {
  const { edge } = running;
  const shared = { EDGE_KEYS_DIR: edge.keysFolder, EDGE_TLS_CERT: edge.fileOf('tls/edge.pem'), EDGE_TLS_KEY: edge.fileOf('tls/edge.key') };
  const session = await sessionOf();
  const acceptedBy = async (): Promise<[accepted: boolean | undefined, status: number | undefined]> => {
    const other = await TestEdge.start(running.behind, shared);
    try {
      const wire = await resumed(session, other);
      const { status } = await wire.rest(readMails);
      await wire.close();
      return [wire.connection.earlyAccepted, status];
    } finally {
      await other.remove();
    }
  };
  expect(await acceptedBy()).toEqual([true, 200]);
  edge.rotateKeys();
  expect(await acceptedBy()).toEqual([true, 200]);
  edge.rotateKeys();
  // A handshake then, and the same answer.
  expect(await acceptedBy()).toEqual([false, 200]);
});

test('without EDGE_EARLY_DATA a mail that was sent early waits for the handshake, and is sent once', async () => {
  const edge = await TestEdge.start(running.behind, { EDGE_EARLY_DATA: 'off' });
  try {
    const before = await mailsAccepted();
    const wire = await resumed(await sessionOf(edge), edge);
    expect((await wire.rest(sendMail)).status).toBe(202);
    expect(wire.connection.earlyAccepted).not.toBe(true);
    expect(await mailsAccepted()).toBe(before + 1);
    await wire.close();
  } finally {
    await edge.remove();
  }
});
