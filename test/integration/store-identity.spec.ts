import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseClient, dataSourceOptions, runMigrations } from '@sky-genesis/database';
import { DataSource } from 'typeorm';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { LocalStoreIdentity } from '../../apps/mail/src/files/local/local-store.identity';
import { S3StoreIdentity } from '../../apps/mail/src/files/s3/s3-store.identity';
import { checkStore, type StoreIdentity } from '../../apps/mail/src/files/store-identity';
import { StoreRecordStore } from '../../apps/mail/src/files/store-record.store';
import { createDatabase, type TestDatabase } from './test-database';

const folder = mkdtempSync(join(tmpdir(), 'sge-store-identity-'));
let database: TestDatabase;
let dataSource: DataSource;
let record: StoreRecordStore;

beforeAll(async () => {
  database = await createDatabase();
  const settings = { DATABASE_URL: database.url, DATABASE_POOL_SIZE: 4, GRPC_TIMEOUT: 30 };
  await runMigrations(mailDatabase(settings));
  dataSource = await new DataSource(dataSourceOptions(mailDatabase(settings))).initialize();
  record = new StoreRecordStore(new DatabaseClient(dataSource));
});
afterEach(() => database.query('delete from object_store'));
afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const local = (name: string) => new LocalStoreIdentity(join(folder, name));
const s3 = (over: object = {}) =>
  new S3StoreIdentity({
    S3_ENDPOINT: 'http://one:9000',
    S3_REGION: 'us-east-1',
    S3_BUCKET: 'files',
    S3_KEY_PREFIX: '',
    S3_ACCESS_KEY_ID: 'id',
    S3_SECRET_ACCESS_KEY: 'secret',
    S3_PATH_STYLE: true,
    FILES_MAX_BYTES: 1,
    ...over,
  });
const check = (store: StoreIdentity) => checkStore(store, record);

test('a folder is made and recorded at the first start, and is the one at every other', async () => {
  await check(local('deep/first'));
  expect(existsSync(join(folder, 'deep/first/store-id'))).toBe(true);
  await check(local('deep/first'));
});

test('two that start at once agree', async () => {
  await Promise.all(Array.from({ length: 8 }, () => check(local('at-once'))));
});

test('a new or empty folder is refused, and stays as it is', async () => {
  await check(local('known'));
  mkdirSync(join(folder, 'empty'));
  for (const name of ['empty', 'not-there']) {
    await expect(check(local(name))).rejects.toThrow(/^the files of this database are in another store: FILES_DIR .* has no file store-id/);
    expect(existsSync(join(folder, name, 'store-id'))).toBe(false);
  }
});

test('a folder of another database is refused', async () => {
  await check(local('one'));
  await database.query('delete from object_store');
  await check(local('two'));
  await expect(check(local('one'))).rejects.toThrow(
    /has the store-id [0-9a-f-]{36}; the store-id must be [0-9a-f-]{36}\. If they were moved/,
  );
});

test('another kind of store is refused', async () => {
  await check(local('kind'));
  await expect(check(s3())).rejects.toThrow('another store: FILES_STORE is s3, and was local.');
});

test('another place on S3 is refused, with what differs, and the secret is not kept', async () => {
  await check(s3());
  await check(s3({ S3_ENDPOINT: 'http://one:9000/', S3_SECRET_ACCESS_KEY: 'another', S3_REGION: 'eu' }));
  await expect(check(s3({ S3_BUCKET: 'others', S3_KEY_PREFIX: 'a/' }))).rejects.toThrow(
    "another store: S3_BUCKET is 'others', and was 'files'; S3_KEY_PREFIX is 'a/', and was ''.",
  );
  await expect(check(s3({ S3_ENDPOINT: undefined }))).rejects.toThrow("S3_ENDPOINT is 'AWS', and was 'http://one:9000'");
  await expect(check(local('instead'))).rejects.toThrow('FILES_STORE is local, and was s3');
  expect(JSON.stringify(await record.read())).not.toContain('secret');
});
