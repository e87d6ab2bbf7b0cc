import 'reflect-metadata';
import { runMigrations } from '@sky-genesis/database';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { searchDatabase } from '../../apps/search/src/database/search-database';
import { checkMailDatabase, checkSearchDatabase } from '../../tools/doctor/database.check';
import type { Finding } from '../../tools/doctor/finding';
import { freePort } from '../free-port';
import { createDatabase, type TestDatabase } from './test-database';

let database: TestDatabase;
beforeEach(async () => (database = await createDatabase()));
afterEach(() => database.drop());

const check = (change: (url: URL) => void = () => undefined): Promise<Finding[]> => {
  const url = new URL(database.url);
  change(url);
  return checkMailDatabase({ DATABASE_URL: url.href });
};

const wrongIn = (findings: Finding[]): Finding[] => findings.filter(({ state }) => state !== 'ok');

const migrateMail = () => runMigrations(mailDatabase({ DATABASE_URL: database.url, DATABASE_POOL_SIZE: 4, GRPC_TIMEOUT: 30 }));
const migrateSearch = () =>
  runMigrations(searchDatabase({ SEARCH_DATABASE_URL: database.url, SEARCH_DATABASE_POOL_SIZE: 4, GRPC_TIMEOUT: 30 }));

test('one that is as mail needs it: version, schema, clock', async () => {
  await migrateMail();
  const { host, pathname } = new URL(database.url);
  expect(await check()).toEqual([
    { what: 'database of mail', state: 'ok', found: expect.stringMatching(`^${host}${pathname}, PostgreSQL \\d+`) },
    { what: 'schema of mail', state: 'ok', found: expect.stringContaining('as this version needs it') },
    { what: 'clock of the database of mail', state: 'ok', found: 'agrees with this machine' },
  ]);
});

test('mail and search may share one: each has migrations of its own', async () => {
  await migrateSearch();
  expect(wrongIn(await checkSearchDatabase({ SEARCH_DATABASE_URL: database.url }))).toEqual([]);
  expect(wrongIn(await check())).toEqual([
    {
      what: 'schema of mail',
      state: 'failure',
      found: expect.stringMatching(/older than this program: it lacks Emails\d+, .*Files\d+$/),
      todo: 'Run npm run migrate: mail does not start before.',
    },
  ]);
});

test('a migration that is missing, and one of a later version, are named', async () => {
  await migrateMail();
  await database.query("delete from migrations where name like 'Files%'");
  expect(wrongIn(await check())).toMatchObject([
    { found: expect.stringMatching(/it lacks Files\d+$/), todo: expect.stringContaining('npm run migrate') },
  ]);
  await database.query("insert into migrations (timestamp, name) values (1, 'Later1')");
  expect(wrongIn(await check())).toMatchObject([
    { found: 'is newer than this program: it has Later1', todo: expect.stringContaining('newer version of mail') },
  ]);
});

test.each<[string, (url: URL) => void, RegExp, RegExp]>([
  ['a wrong password', (url) => (url.password = 'hunter2'), /refuses user or password$/, /DATABASE_URL/],
  ['a user that is not there', (url) => (url.username = 'nobody'), /refuses user or password$/, /DATABASE_URL/],
  ['a database that is not there', (url) => (url.pathname = '/none'), /there is no such database$/, /createdb/],
])('%s', async (_what, change, found, todo) => {
  const findings = await check(change);
  expect(findings).toEqual([
    { what: 'database of mail', state: 'failure', found: expect.stringMatching(found), todo: expect.stringMatching(todo) },
  ]);
  expect(JSON.stringify(findings)).not.toContain('hunter2');
});

test('none', async () => {
  const port = String(await freePort());
  expect(await check((url) => (url.port = port))).toMatchObject([
    { state: 'failure', found: expect.stringMatching(/^connection refused/) },
  ]);
});

test('what an app does not use is not looked at', async () => {
  expect(await checkMailDatabase({})).toEqual([]);
  expect(await checkSearchDatabase({ SEARCH_DATABASE_URL: database.url, ELASTICSEARCH_URL: 'http://localhost:9200' })).toEqual([]);
});
