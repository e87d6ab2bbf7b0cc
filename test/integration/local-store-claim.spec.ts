import { Logger } from '@nestjs/common';
import { DatabaseClient, dataSourceOptions } from '@sky-genesis/database';
import { DataSource } from 'typeorm';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { LocalStoreClaim } from '../../apps/mail/src/files/local/local-store.claim';
import { eventually } from '../eventually';
import { createDatabase, type TestDatabase } from './test-database';

let database: TestDatabase;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  database = await createDatabase();
});

afterEach(async () => {
  jest.restoreAllMocks();
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  await database.drop();
});

/** An instance with connections of its own. */
async function instance(): Promise<{ claim: LocalStoreClaim; disconnect: () => Promise<void> }> {
  const settings = { DATABASE_URL: database.url, DATABASE_POOL_SIZE: 4, GRPC_TIMEOUT: 30 };
  const dataSource = await new DataSource(dataSourceOptions(mailDatabase(settings))).initialize();
  const claim = new LocalStoreClaim(new DatabaseClient(dataSource));
  let over = false;
  const disconnect = async () => {
    if (over) return;
    over = true;
    await claim.release();
    await dataSource.destroy();
  };
  cleanUps.push(disconnect);
  return { claim, disconnect };
}

const lockHolder = async (): Promise<number | undefined> =>
  (
    await database.query<{ pid: number }>(
      "select pid from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
    )
  )[0]?.pid;

/** What happens to the connections of a process that is killed. */
const killHolder = async (): Promise<number> => {
  const pid = (await lockHolder())!;
  await database.query('select pg_terminate_backend($1)', [pid]);
  return pid;
};

test('a second instance is refused, and told what to set', async () => {
  await (await instance()).claim.take();
  const second = await instance();
  await expect(second.claim.take(600)).rejects.toThrow(
    'another instance of mail uses this database, and FILES_STORE=local keeps files in a folder of each: ' +
      'set FILES_SHARED=true where all instances see the same FILES_DIR, or FILES_STORE=s3',
  );
});

test('a second instance waits for one that is ending', async () => {
  const first = await instance();
  await first.claim.take();
  const second = await instance();
  const taken = second.claim.take();
  await first.disconnect();
  await taken;
});

test('the lock of an instance that was killed goes at once; if it lives, it says that another has it', async () => {
  const error = jest.spyOn(Logger.prototype, 'error').mockReturnValue();
  const first = await instance();
  await first.claim.take();
  const second = await instance();
  const taken = second.claim.take(5000);
  await killHolder();
  await taken;
  await eventually(
    () => error.mock.calls.length,
    (calls) => calls > 0,
  );
  expect(error.mock.calls).toEqual([[expect.stringContaining('another instance of mail')]]);
});

test('what was lost with its connection is taken again', async () => {
  await (await instance()).claim.take();
  const killed = await killHolder();
  await eventually(lockHolder, (pid) => pid !== undefined && pid !== killed);
  await expect((await instance()).claim.take(0)).rejects.toThrow('another instance');
});
