import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseClient, dataSourceOptions } from '@sky-genesis/database';
import { callContext, RuleError } from '@sky-genesis/grpc';
import { DataSource } from 'typeorm';
import { TestAuthority } from '../test-authority';
import { PostgresServer } from '../../tools/stack/postgres-server';
import { handOver, postgresUser } from '../../tools/stack/postgres-user';
import { eventually } from '../eventually';

/** First messages of a connection, after their length: SSLRequest, CancelRequest and, after neither, the protocol's version. */
const SSL_REQUEST = 80_877_103;
const CANCEL_REQUEST = 80_877_102;
const VERSION_3 = 196_608;

let folder: string;
let server: PostgresServer;
let proxy: Server;
/** What each connection through the proxy began with. */
let begun: number[];
/** New connections lead nowhere. */
let hole: boolean;
const sockets = new Set<Socket>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sge-cancel-tls-'));
  chmodSync(folder, 0o755);
  const { key, cert } = new TestAuthority().issue({ dns: ['localhost'] });
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  for (const [file, content] of Object.entries({ [keyFile]: key, [certFile]: cert })) {
    writeFileSync(file, content, { mode: 0o600 });
    handOver(file, postgresUser(join(folder, 'none')));
  }
  server = await PostgresServer.started({ ssl: 'on', ssl_key_file: keyFile, ssl_cert_file: certFile });
  proxy = createServer((near) => {
    sockets.add(near);
    near.on('error', () => undefined);
    near.once('data', (first: Buffer) => {
      begun.push(first.readUInt32BE(4));
      if (hole) return;
      const far = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => near.destroy());
      far.write(first);
      near.pipe(far).pipe(near);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
}, 60_000);
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  proxy?.close();
  await server?.remove();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  begun = [];
  hole = false;
});

async function withClient(query: string, use: (client: DatabaseClient) => Promise<void>): Promise<void> {
  const url = new URL(server.url);
  url.port = String((proxy.address() as AddressInfo).port);
  url.search = query;
  const settings = { url: url.href, poolSize: 1, callMs: 30_000, applicationName: 'test', migrations: [], migrationsTable: 'none' };
  const source = await new DataSource(dataSourceOptions(settings)).initialize();
  try {
    await use(new DatabaseClient(source));
  } finally {
    await source.destroy();
  }
}

/** Runs for so many seconds, unless its caller leaves it, who does so once PostgreSQL is at it. */
async function leave(client: DatabaseClient, seconds: number): Promise<unknown> {
  const ending = new AbortController();
  const context = { requestId: 'a call', signal: ending.signal, deadline: Infinity };
  const sleeping = { text: 'select pg_sleep($1)::text as slept', values: [seconds] };
  const answer = callContext.run(context, () => client.read(sleeping)).catch((error: unknown) => error);
  await eventually(
    () => activeQueries(),
    (n) => n === 1,
  );
  ending.abort(new RuleError('CANCELLED'));
  return answer;
}

async function activeQueries(): Promise<number> {
  const source = await new DataSource({ type: 'postgres', url: server.url }).initialize();
  try {
    const text = `select from pg_stat_activity where query like 'select pg_sleep%' and wait_event = 'PgSleep'`;
    return (await source.query<unknown[]>(text)).length;
  } finally {
    await source.destroy();
  }
}

const pidOf = async (client: DatabaseClient) =>
  (await client.read<{ pid: number }>({ text: 'select pg_backend_pid() as pid', values: [] }))[0]!.pid;

test.each([
  ['sslmode=no-verify', [SSL_REQUEST, SSL_REQUEST]],
  ['', [VERSION_3, CANCEL_REQUEST]],
])('a query is cancelled by a connection as secret as its own: "%s"', async (query, connections) => {
  await withClient(query, async (client) => {
    const pid = await pidOf(client);
    const began = performance.now();
    expect(await leave(client, 60)).toMatchObject({ reason: 'CANCELLED' });
    expect(performance.now() - began).toBeLessThan(3000);
    expect(begun).toEqual(connections);
    expect(await pidOf(client)).toBe(pid);
  });
});

test('a connection that a request to cancel may still reach is not used again', async () => {
  await withClient('', async (client) => {
    const pid = await pidOf(client);
    hole = true;
    expect(await leave(client, 0.7)).toEqual([{ slept: '' }]);
    hole = false;
    expect(await pidOf(client)).not.toBe(pid);
  });
});
