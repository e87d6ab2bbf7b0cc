import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { DatabaseClient, dataSourceOptions, runMigrations, type Statement } from '@sky-genesis/database';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { RuleError } from '@sky-genesis/grpc';
import { AcceptStore } from '../../apps/mail/src/emails/accept.store';
import type { AcceptedEmail, NewEmail } from '../../apps/mail/src/emails/new-email';
import { createDatabase, type TestDatabase } from './test-database';

let database: TestDatabase;
let dataSource: DataSource;
let client: DatabaseClient;
let store: AcceptStore;

beforeAll(async () => {
  database = await createDatabase();
  const settings = { DATABASE_URL: database.url, DATABASE_POOL_SIZE: 8, GRPC_TIMEOUT: 30 };
  await runMigrations(mailDatabase(settings));
  dataSource = await new DataSource(dataSourceOptions(mailDatabase(settings))).initialize();
  client = new DatabaseClient(dataSource);
  store = new AcceptStore(client, { maxQueuedPerTenant: 1000 });
});

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

const newEmail = (over: Partial<NewEmail> = {}): NewEmail => ({
  id: randomUUID(),
  tenant: 'acme',
  createdAt: new Date(),
  from: 'Ann <ann@example.com>',
  fromAddress: 'ann@example.com',
  to: ['bob@example.com'],
  cc: [],
  bcc: [],
  replyTo: [],
  subject: 'Grüße',
  body: 'text',
  htmlBody: '',
  headers: { 'X-One': '1' },
  metadata: {},
  attachments: [{ filename: 'a.bin', contentType: 'application/octet-stream', contentId: '', content: Buffer.from([0, 1, 255]) }],
  recipients: [{ address: 'bob@example.com', kind: 'to' }],
  sendAt: undefined,
  expiresAt: new Date(Date.now() + 60_000),
  onUncertain: undefined,
  idempotency: undefined,
  ...over,
});

const keyed = (key: string, fingerprint: string, over: Partial<NewEmail> = {}): NewEmail =>
  newEmail({ idempotency: { key, fingerprint: Buffer.from(fingerprint.padEnd(32)) }, ...over });

const count = async (table: string, tenant: string): Promise<number> => {
  const [row] = await database.query<{ count: string }>(`select count(*) from ${table} where tenant = $1`, [tenant]);
  return Number(row?.count);
};

test('a batch is written whole: mails, recipients, attachments, jobs, events', async () => {
  const tenant = 'whole';
  const results = await store.write([newEmail({ tenant }), newEmail({ tenant, recipients: [{ address: 'c@d.e', kind: 'cc' }] })]);
  expect(results).toEqual([expect.objectContaining({ replayed: false, status: 'queued' }), expect.objectContaining({ replayed: false })]);
  for (const table of ['email', 'recipient', 'attachment', 'job', 'event']) expect([table, await count(table, tenant)]).toEqual([table, 2]);
  const [stored] = await database.query<{ content: Buffer }>('select content from attachment where tenant = $1', [tenant]);
  expect(stored?.content).toEqual(Buffer.from([0, 1, 255]));
});

test('events are numbered 1, 2, 3 per tenant, whatever mix of tenants the batches have', async () => {
  const tenants = ['t1', 't2', 't3'];
  await Promise.all(
    Array.from({ length: 20 }, (_, batch) =>
      store.write(Array.from({ length: 9 }, (_, i) => newEmail({ tenant: tenants[(i + batch) % 3] }))),
    ),
  );
  for (const tenant of tenants) {
    const rows = await database.query<{ cursor: string }>('select cursor from event where tenant = $1 order by cursor', [tenant]);
    expect(rows.map(({ cursor }) => Number(cursor))).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  }
});

test('the same key with the same content gives the first answer again, with other content an error', async () => {
  const tenant = 'keys';
  const [first] = (await store.write([keyed('k', 'same', { tenant })])) as AcceptedEmail[];
  const results = await store.write([keyed('k', 'same', { tenant }), keyed('k', 'other', { tenant }), newEmail({ tenant })]);
  expect(results[0]).toEqual({ ...first, replayed: true });
  expect(results[1]).toMatchObject({ reason: 'IDEMPOTENCY_KEY_REUSED' });
  expect(results[2]).toMatchObject({ replayed: false });
  expect(await count('email', tenant)).toBe(2);
});

test('equal keys within one batch are one mail', async () => {
  const tenant = 'twins';
  const results = await store.write([keyed('k', 'a', { tenant }), keyed('k', 'a', { tenant }), keyed('k', 'b', { tenant })]);
  expect(results[1]).toEqual({ ...(results[0] as AcceptedEmail), replayed: true });
  expect(results[2]).toMatchObject({ reason: 'IDEMPOTENCY_KEY_REUSED' });
  expect(await count('email', tenant)).toBe(1);
});

test('behind one that is refused, a follower in the same batch still gets the answer of its own mail', async () => {
  const tenant = 'followers';
  const [first] = (await store.write([keyed('k', 'a', { tenant })])) as AcceptedEmail[];
  const results = await store.write([keyed('k', 'b', { tenant }), keyed('k', 'a', { tenant }), keyed('k', 'c', { tenant })]);
  expect(results[0]).toMatchObject({ reason: 'IDEMPOTENCY_KEY_REUSED' });
  expect(results[1]).toEqual({ ...first, replayed: true });
  expect(results[2]).toMatchObject({ reason: 'IDEMPOTENCY_KEY_REUSED' });
});

test('the same key of another tenant is another key', async () => {
  const results = await store.write([keyed('shared', 'a', { tenant: 'one' }), keyed('shared', 'a', { tenant: 'two' })]);
  expect(results).toEqual([expect.objectContaining({ replayed: false }), expect.objectContaining({ replayed: false })]);
});

test('concurrent twins in opposite order: one mail for each key, no deadlock', async () => {
  const tenant = 'race';
  const keys = Array.from({ length: 32 }, (_, i) => `k${i}`);
  const batch = (order: readonly string[]) => store.write(order.map((key) => keyed(key, key, { tenant })));
  const results = (await Promise.all([batch(keys), batch(keys.toReversed()), batch(keys), batch(keys.toReversed())])).flat();
  expect(results.filter((result) => result instanceof Error)).toEqual([]);
  expect(results.filter((result) => !(result as AcceptedEmail).replayed)).toHaveLength(32);
  expect(await count('email', tenant)).toBe(32);
});

test('a key is free again after 24 hours', async () => {
  const tenant = 'day';
  await store.write([keyed('k', 'a', { tenant })]);
  await database.query(`update idempotency_key set accepted_at = now() - interval '25 hours' where tenant = $1`, [tenant]);
  const [result] = await store.write([keyed('k', 'b', { tenant })]);
  expect(result).toMatchObject({ replayed: false });
  expect(await count('email', tenant)).toBe(2);
});

test('a bad item never fails its batch mates', async () => {
  const tenant = 'bad';
  const emails = Array.from({ length: 64 }, () => newEmail({ tenant }));
  emails[17] = newEmail({ tenant, subject: 'a NUL \0 that no rule has stopped' });
  const results = await store.write(emails);
  expect(results.flatMap((result, i) => (result instanceof Error ? [i] : []))).toEqual([17]);
  // It will be logged whole: nothing of the mail may be in it.
  expect(JSON.stringify(results[17])).not.toContain('no rule has stopped');
  expect(await count('email', tenant)).toBe(63);
});

test('when the database goes away between the write and the look-up, what was written is said to be accepted', async () => {
  const tenant = 'away';
  await store.write([keyed('taken', 'a', { tenant })]);
  // A stand-in for a connection that ends at exactly this moment, which cannot be had at will.
  const endsBeforeLookUp = Object.create(client, {
    run: {
      value: (statement: Statement) =>
        statement.name === 'accept-earlier' ? Promise.reject(new RuleError('DATABASE_UNAVAILABLE')) : client.run(statement),
    },
  }) as DatabaseClient;
  const cutOff = new AcceptStore(endsBeforeLookUp, { maxQueuedPerTenant: 1000 });
  const results = await cutOff.write([newEmail({ tenant }), keyed('taken', 'a', { tenant }), keyed('new', 'b', { tenant })]);
  expect(results).toEqual([
    expect.objectContaining({ replayed: false }),
    expect.objectContaining({ reason: 'ACCEPT_UNKNOWN' }),
    expect.objectContaining({ replayed: false }),
  ]);
  expect(await count('email', tenant)).toBe(3);
});

test('a tenant with a full queue is refused, the others are not; a replay is answered all the same', async () => {
  const tight = new AcceptStore(client, { maxQueuedPerTenant: 3 });
  const tenant = 'full';
  const first = keyed('k', 'a', { tenant });
  await tight.write([first, newEmail({ tenant })]);
  const results = await tight.write([
    newEmail({ tenant }),
    newEmail({ tenant }),
    newEmail({ tenant: 'roomy' }),
    keyed('k', 'a', { tenant }),
  ]);
  expect(results[0]).toMatchObject({ replayed: false });
  expect(results[1]).toMatchObject({ reason: 'QUEUE_FULL', details: { retryAfterSeconds: expect.any(Number) as number } });
  expect(results[2]).toMatchObject({ replayed: false });
  expect(results[3]).toMatchObject({ replayed: true, id: first.id });
  expect(await count('email', tenant)).toBe(3);
});

test('a connection cut while the batch is written: every mail is there once, and said to be there', async () => {
  const tenant = 'cut';
  for (let round = 0; round < 10; round++) {
    const emails = Array.from({ length: 50 }, (_, i) => (i % 2 ? newEmail({ tenant }) : keyed(`${round}-${i}`, 'x', { tenant })));
    const writing = store.write(emails);
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sge-mail' and datname = current_database()`,
    );
    const results = await writing;
    expect(results).toEqual(emails.map(({ id }) => expect.objectContaining({ id, replayed: false }) as unknown));
  }
  expect(await count('email', tenant)).toBe(500);
});
