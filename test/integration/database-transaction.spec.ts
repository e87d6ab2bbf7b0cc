import { Test } from '@nestjs/testing';
import { DatabaseClient, DatabaseModule, OutcomeUnknownError, runMigrations, type RunInTransaction } from '@sky-genesis/database';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { createDatabase, type TestDatabase } from './test-database';

let database: TestDatabase;
let client: DatabaseClient;
let close: () => Promise<void>;

beforeAll(async () => {
  database = await createDatabase();
  const settings = mailDatabase({ DATABASE_URL: database.url, DATABASE_POOL_SIZE: 4, GRPC_TIMEOUT: 30 });
  await runMigrations(settings);
  const module = await Test.createTestingModule({ imports: [DatabaseModule.forRoot(settings)] }).compile();
  await module.init();
  client = module.get(DatabaseClient);
  close = () => module.close();
}, 60_000);
afterAll(async () => {
  await close?.();
  await database?.drop();
});
beforeEach(() => database.query('delete from file_usage'));

const insert = (run: RunInTransaction, tenant: string) => run({ text: 'insert into file_usage values ($1, 0)', values: [tenant] });
const stored = async () => (await database.query<{ tenant: string }>('select tenant from file_usage')).map(({ tenant }) => tenant);
const endOwnConnection = (run: RunInTransaction) => run({ text: 'select pg_terminate_backend(pg_backend_pid())', values: [] });

test('all of it is committed, and what it gives is given', async () => {
  const given = await client.transaction(async (run) => {
    await insert(run, 'a');
    await insert(run, 'b');
    return 7;
  });
  expect([given, await stored()]).toEqual([7, ['a', 'b']]);
});

test('what it throws rolls all of it back, and leaves the connection fit for the next', async () => {
  for (let i = 0; i < 10; i++) {
    const failing = client.transaction(async (run) => {
      await insert(run, 'a');
      throw new RangeError('no');
    });
    await expect(failing).rejects.toThrow(RangeError);
  }
  expect(await stored()).toEqual([]);
  await client.transaction((run) => insert(run, 'a'));
  expect(await stored()).toEqual(['a']);
});

test('what PostgreSQL refuses comes as it refused it', async () => {
  const failing = client.transaction(async (run) => {
    await insert(run, 'a');
    await insert(run, 'a');
  });
  await expect(failing).rejects.toMatchObject({ code: '23505' });
  expect(await stored()).toEqual([]);
});

test('a connection that ends before the commit has done nothing', async () => {
  const failing = client.transaction(async (run) => {
    await insert(run, 'a');
    await endOwnConnection(run);
  });
  await expect(failing).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
  expect(await stored()).toEqual([]);
});

test('one that ends before the commit is answered may have', async () => {
  const failing = client.transaction(async (run) => {
    await insert(run, 'a');
    // By another connection, once nothing waits for an answer on this one.
    const { rows } = await run<{ pid: number }>({ text: 'select pg_backend_pid() as pid', values: [] });
    await database.query('select pg_terminate_backend($1)', [rows[0]!.pid]);
  });
  await expect(failing).rejects.toBeInstanceOf(OutcomeUnknownError);
});
