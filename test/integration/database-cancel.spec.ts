import { setTimeout as sleep } from 'node:timers/promises';
import { Test } from '@nestjs/testing';
import { DatabaseClient, DatabaseModule, runMigrations } from '@sky-genesis/database';
import { callContext, RuleError } from '@sky-genesis/grpc';
import { Client } from 'pg';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { eventually } from '../eventually';
import { createDatabase, type TestDatabase } from './test-database';

const POOL = 3;
const CANCELLED = { reason: 'CANCELLED' };

let database: TestDatabase;
let client: DatabaseClient;
let locker: Client;
let close: () => Promise<void>;

beforeAll(async () => {
  database = await createDatabase();
  const settings = mailDatabase({ DATABASE_URL: database.url, DATABASE_POOL_SIZE: POOL, GRPC_TIMEOUT: 30 });
  await runMigrations(settings);
  const module = await Test.createTestingModule({ imports: [DatabaseModule.forRoot(settings)] }).compile();
  await module.init();
  client = module.get(DatabaseClient);
  close = () => module.close();
  locker = new Client(database.url);
  await locker.connect();
}, 60_000);
afterAll(async () => {
  await locker?.end();
  await close?.();
  await database?.drop();
});
beforeEach(() => locker.query('delete from file_usage'));
afterEach(() => locker.query('rollback'));

/** A call that its caller leaves when it is told to. */
function call() {
  const ending = new AbortController();
  const context = { requestId: 'a call', signal: ending.signal, deadline: Infinity };
  return { in: <T>(work: () => T): T => callContext.run(context, work), leave: () => ending.abort(new RuleError('CANCELLED')) };
}

/** Whatever touches the table waits until it is unlocked. */
const lock = () => locker.query('begin; lock table file_usage in access exclusive mode');
const unlock = () => locker.query('rollback');
const waiting = async () =>
  (await database.query(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)).length;
const isWaiting = (queries = 1) => eventually(waiting, (n) => n === queries);
const gone = () => eventually(waiting, (n) => n === 0, 500);

const insert = (tenant: string) => ({ name: 'test-insert', text: 'insert into file_usage values ($1, 0)', values: [tenant] });
const stored = async () => (await database.query<{ tenant: string }>('select tenant from file_usage order by 1')).map((row) => row.tenant);

test('a change whose call ends is cancelled in PostgreSQL, and is not there; its connection goes on', async () => {
  await lock();
  const { in: inCall, leave } = call();
  const changing = inCall(() => client.run(insert('a')));
  const failed = expect(changing).rejects.toMatchObject(CANCELLED);
  await isWaiting();
  leave();
  await failed;
  await gone();
  await unlock();
  expect(await stored()).toEqual([]);
  // The prepared statement, too, on each of the connections.
  await Promise.all(['a', 'b', 'c'].map((tenant) => call().in(() => client.run(insert(tenant)))));
  expect(await stored()).toEqual(['a', 'b', 'c']);
});

test('a call that has ended asks nothing of the database', async () => {
  const { in: inCall, leave } = call();
  leave();
  for (const work of [
    () => client.run(insert('a')),
    () => client.transaction((run) => run(insert('a'))),
    () => client.change(insert('a')),
  ]) {
    await expect(inCall<Promise<unknown>>(work)).rejects.toMatchObject(CANCELLED);
  }
  expect(await stored()).toEqual([]);
});

test('a transaction whose call ends is rolled back, also between its statements', async () => {
  const { in: inCall, leave } = call();
  await lock();
  const waits = inCall(() => client.transaction((run) => run(insert('a'))));
  const failed = expect(waits).rejects.toMatchObject(CANCELLED);
  await isWaiting();
  leave();
  await failed;
  await unlock();
  const later = call();
  const between = later.in(() =>
    client.transaction(async (run) => {
      await run(insert('b'));
      later.leave();
    }),
  );
  await expect(between).rejects.toMatchObject(CANCELLED);
  expect(await stored()).toEqual([]);
});

test('what is told is what was done, wherever the cancel falls', async () => {
  const done: string[] = [];
  const errors: unknown[] = [];
  // Until either has happened a few times: how long a cancel takes depends on the machine.
  for (let i = 100; i < 900 && Math.min(done.length, errors.length) < 5; i++) {
    const { in: inCall, leave } = call();
    const text = 'insert into file_usage select $1, 0 from pg_sleep(0.005)';
    const changing = inCall(() => client.run({ text, values: [String(i)] })).then(
      () => done.push(String(i)),
      (error: unknown) => errors.push(error),
    );
    await sleep(i % 25);
    leave();
    await changing;
  }
  expect(await stored()).toEqual(done);
  for (const error of errors) expect(error).toMatchObject(CANCELLED);
  expect(Math.min(done.length, errors.length)).toBe(5);
});

test('a connection is waited for no longer than the call lasts, and the others get theirs', async () => {
  await lock();
  const holding = Array.from({ length: POOL }, (_, i) => client.run(insert(`held ${i}`)));
  await isWaiting(POOL);
  const left = call();
  const given = left.in(() => client.read({ text: 'select 1', values: [] }));
  const failed = expect(given).rejects.toMatchObject(CANCELLED);
  const stays = call().in(() => client.read({ text: 'select 2 as two', values: [] }));
  left.leave();
  await failed;
  await unlock();
  await Promise.all(holding);
  expect(await stays).toEqual([{ two: 2 }]);
  expect(await stored()).toHaveLength(POOL);
});

test('no cancel reaches a query of another call on the same connection', async () => {
  let cancelled = 0;
  let done = 0;
  const others = new AbortController();
  const innocent = async () => {
    while (!others.signal.aborted) {
      await client.read({ text: 'select pg_sleep(0.0005)', values: [] });
      done++;
    }
  };
  const running = [innocent(), innocent(), innocent()];
  // More where they are needed: how many of the cancels come in time depends on the machine.
  for (let i = 0; i < 200 || (cancelled <= 20 && i < 2000); i++) {
    const { in: inCall, leave } = call();
    const read = inCall(() => client.read({ text: 'select pg_sleep(0.002)', values: [] })).catch(() => cancelled++);
    await sleep(i % 4);
    leave();
    await read;
  }
  others.abort();
  await Promise.all(running);
  expect(cancelled).toBeGreaterThan(20);
  expect(done).toBeGreaterThan(200);
});
