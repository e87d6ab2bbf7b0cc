import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { EmbeddedPostgres } from './embedded-postgres';
import { LogFile } from './log-file';
import { findPorts } from './loopback-ports';
import { processIdentity } from './process-identity';
import { RunningProcess } from './running-process';
import { makeSecrets } from './secrets';
import { restartLimits, SupervisedProcess } from './supervised-process';

// Its folder is closed to other users, as a checkout in a private folder is.
const base = mkdtempSync(join(tmpdir(), 'postgres-'));
const log = new LogFile(join(base, 'postgres.log'));
let postgres: EmbeddedPostgres;
let server: RunningProcess | undefined;

beforeAll(async () => {
  mkdirSync(join(base, 'secrets'));
  const { port } = await findPorts({ port: { setting: '', port: 0 } }, 0);
  const { databasePassword } = makeSecrets(join(base, 'secrets'));
  postgres = new EmbeddedPostgres({ folder: join(base, 'postgres'), port, passwordFile: databasePassword });
});

afterAll(async () => {
  await server?.end();
  rmSync(base, { recursive: true });
});

async function start(): Promise<RunningProcess> {
  await postgres.prepare();
  server = new RunningProcess(postgres.program(), log);
  await server.ready();
  return server;
}

async function ask(sql: string, url = postgres.url): Promise<unknown[][]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows as unknown[][];
  } finally {
    await client.end();
  }
}

test('it is made on the first start, durable and in UTF-8, and keeps what it has', async () => {
  const first = await start();
  const settings =
    "current_setting('fsync'), current_setting('synchronous_commit'), current_setting('server_encoding'), current_setting('listen_addresses')";
  expect(await ask(`SELECT ${settings}, lower('ÄÖ')`)).toEqual([['on', 'on', 'UTF8', '127.0.0.1', 'äö']]);
  await ask('CREATE TABLE kept AS SELECT 1 AS number');
  await first.end();
  expect((await first.ended).succeeded).toBe(true);
  await start();
  expect(await ask('SELECT number FROM kept')).toEqual([[1]]);
});

test('search gets a database of its own, also in a folder that had none, and keeps it', async () => {
  await postgres.makeSearchDatabase();
  await ask('CREATE TABLE found AS SELECT 3 AS number', postgres.searchUrl);
  await postgres.makeSearchDatabase();
  expect(await ask('SELECT number FROM found', postgres.searchUrl)).toEqual([[3]]);
  await expect(ask('SELECT number FROM found')).rejects.toThrow('does not exist');
});

test('the password is needed', async () => {
  const url = new URL(postgres.url);
  url.password = 'wrong';
  await expect(ask('SELECT 1', url.href)).rejects.toThrow('password authentication failed');
});

test('its folder is its own', () => {
  expect(statSync(join(base, 'postgres')).mode & 0o777).toBe(0o700);
});

test('a server that a killed stack left is ended before the next one starts', async () => {
  await server?.end();
  const { command, args, env, user } = postgres.program();
  const leftOver = spawn(command, args, { env, stdio: 'ignore', detached: true, ...user });
  const pid = leftOver.pid ?? 0;
  while (!(await postgres.program().isReady(pid))) await new Promise((resolve) => setTimeout(resolve, 20));
  await start();
  expect(processIdentity(pid)).toBeUndefined();
  expect(await ask('SELECT number FROM kept')).toEqual([[1]]);
});

test('its first process killed with -9 under its clients, it is started again with what was committed', async () => {
  await server?.end();
  const client = new Client(postgres.url);
  client.on('error', () => undefined);
  let supervised: SupervisedProcess | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const events = { died: () => undefined, restarted: () => resolve(), gaveUp: () => reject(new Error('given up')) };
      supervised = new SupervisedProcess(postgres.program(), log, events, restartLimits);
      void (async () => {
        await supervised.start();
        await client.connect();
        await client.query('CREATE TABLE committed AS SELECT 2 AS number');
        // Its own process, which outlives the first one for a moment, and keeps the data folder from a second server.
        void client.query('BEGIN; SELECT pg_sleep(1)').catch(() => undefined);
        process.kill(supervised.pid ?? 0, 'SIGKILL');
      })().catch(reject);
    });
    expect(await ask('SELECT number FROM committed')).toEqual([[2]]);
  } finally {
    await client.end().catch(() => undefined);
    await supervised?.end();
  }
});
