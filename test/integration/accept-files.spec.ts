import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { DatabaseClient, dataSourceOptions, runMigrations } from '@sky-genesis/database';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { AcceptStore } from '../../apps/mail/src/emails/accept.store';
import type { NewEmail } from '../../apps/mail/src/emails/new-email';
import { FileStore } from '../../apps/mail/src/files/file.store';
import type { StoredFile } from '../../apps/mail/src/files/stored-file';
import { eventually } from '../eventually';
import { PlantedFiles } from './planted-files';
import { createDatabase, type TestDatabase } from './test-database';
import { filesFolderOf } from './test-system';

let database: TestDatabase;
let dataSource: DataSource;
let store: AcceptStore;
let files: FileStore;
let planted: PlantedFiles;

beforeAll(async () => {
  database = await createDatabase();
  const settings = { DATABASE_URL: database.url, DATABASE_POOL_SIZE: 8, GRPC_TIMEOUT: 30 };
  await runMigrations(mailDatabase(settings));
  dataSource = await new DataSource(dataSourceOptions(mailDatabase(settings))).initialize();
  const client = new DatabaseClient(dataSource);
  store = new AcceptStore(client, { maxQueuedPerTenant: 1000 });
  files = new FileStore(client);
  planted = new PlantedFiles(database, filesFolderOf(database));
});
afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

/** A file of a tenant, as it was looked up. */
async function fileOf(tenant: string): Promise<StoredFile> {
  const { id } = await planted.add(randomBytes(8), { tenant });
  return (await files.find(tenant, [id])).get(id) as StoredFile;
}

const deleted = (file: StoredFile) => database.query('delete from file where id = $1', [file.id]);

const newEmail = (tenant: string, attached: readonly (StoredFile | Buffer)[], key?: string): NewEmail => ({
  id: randomUUID(),
  tenant,
  createdAt: new Date(),
  from: 'ann@example.com',
  fromAddress: 'ann@example.com',
  to: ['bob@example.com'],
  cc: [],
  bcc: [],
  replyTo: [],
  subject: '',
  body: '',
  htmlBody: '',
  headers: {},
  metadata: {},
  attachments: attached.map((content, i) => ({ filename: `${i}`, contentType: 'text/plain', contentId: '', content })),
  recipients: [{ address: 'bob@example.com', kind: 'to' }],
  sendAt: undefined,
  expiresAt: new Date(Date.now() + 60_000),
  onUncertain: undefined,
  idempotency: key === undefined ? undefined : { key, fingerprint: Buffer.alloc(32, 'same') },
});

const ACCEPTED = expect.objectContaining({ replayed: false }) as unknown;
const refusedFor = (...indexes: number[]) =>
  expect.objectContaining({
    reason: 'INVALID_ARGUMENT',
    details: { violations: indexes.map((i) => ({ field: `email.attachments[${i}].file_id`, description: 'names no file of yours' })) },
  }) as unknown;
const count = async (table: string, tenant: string) =>
  Number((await database.query<{ count: string }>(`select count(*) from ${table} where tenant = $1`, [tenant]))[0]?.count);

test('what an attachment is: its bytes, or its file and the content of it', async () => {
  const tenant = 'whole';
  const file = await fileOf(tenant);
  expect(await store.write([newEmail(tenant, [Buffer.from('bytes'), file])])).toEqual([ACCEPTED]);
  const rows = await database.query('select content, file_id, sha256, size from attachment where tenant = $1 order by position', [tenant]);
  expect(rows).toEqual([
    { content: Buffer.from('bytes'), file_id: null, sha256: null, size: null },
    { content: null, file_id: file.id, sha256: file.sha256, size: '8' },
  ]);
});

test('a mail whose file is gone by then is refused by the names of its attachments; its batch mates are not, nor is its key taken', async () => {
  const tenant = 'gone';
  const [there, gone] = [await fileOf(tenant), await fileOf(tenant)];
  await deleted(gone);
  const foreign = await fileOf('other');
  const emails = [
    newEmail(tenant, [there]),
    newEmail(tenant, [there, gone, Buffer.from('x'), gone], 'key'),
    newEmail(tenant, [foreign]),
    newEmail(tenant, []),
  ];
  expect(await store.write(emails)).toEqual([ACCEPTED, refusedFor(1, 3), refusedFor(0), ACCEPTED]);
  for (const table of ['email', 'recipient', 'job', 'event']) expect([table, await count(table, tenant)]).toEqual([table, 2]);
  expect(await store.write([newEmail(tenant, [there], 'key')])).toEqual([ACCEPTED]);
});

test('the answer of the earlier mail comes all the same', async () => {
  const tenant = 'replay';
  const file = await fileOf(tenant);
  const first = newEmail(tenant, [file], 'key');
  await store.write([first]);
  await deleted(file);
  expect(await store.write([newEmail(tenant, [file], 'key')])).toEqual([expect.objectContaining({ id: first.id, replayed: true })]);
});

test('behind one whose file is gone, a follower in the same batch is a mail of its own', async () => {
  const tenant = 'follower';
  const [gone, there] = [await fileOf(tenant), await fileOf(tenant)];
  await deleted(gone);
  const results = await store.write([newEmail(tenant, [gone], 'key'), newEmail(tenant, [there], 'key'), newEmail(tenant, [there], 'key')]);
  expect(results).toEqual([refusedFor(0), ACCEPTED, expect.objectContaining({ replayed: true })]);
  expect(await count('email', tenant)).toBe(1);
});

test.each([
  ['commit', 'refused', false],
  ['rollback', 'accepted', true],
])('while a file is being deleted, a mail with it waits: after the %s it is %s', async (end, _, accepted) => {
  const tenant = `deleting-${end}`;
  const file = await fileOf(tenant);
  const deleter = new Client({ connectionString: database.url });
  await deleter.connect();
  try {
    await deleter.query('begin');
    await deleter.query('select from file where id = $1 for update', [file.id]);
    const writing = store.write([newEmail(tenant, [file])]);
    await eventually(
      () => database.query(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`),
      (waiting) => waiting.length === 1,
    );
    await deleter.query('delete from file where id = $1', [file.id]);
    await deleter.query(end);
    expect(await writing).toEqual([accepted ? ACCEPTED : refusedFor(0)]);
    expect(await count('email', tenant)).toBe(Number(accepted));
  } finally {
    await deleter.end();
  }
});
