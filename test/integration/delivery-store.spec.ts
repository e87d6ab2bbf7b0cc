import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { DatabaseClient } from '../../apps/mail/src/database/database.client';
import { dataSourceOptions } from '../../apps/mail/src/database/data-source.options';
import { runMigrations } from '../../apps/mail/src/database/migrations.runner';
import type { Outcome } from '../../apps/mail/src/delivery/decide-outcome';
import { type ClaimRequest, DeliveryStore } from '../../apps/mail/src/delivery/delivery.store';
import type { OutgoingEmail } from '../../apps/mail/src/delivery/outgoing-email';
import { AcceptStore } from '../../apps/mail/src/emails/accept.store';
import { createDatabase, type TestDatabase } from './test-database';

let database: TestDatabase;
let dataSource: DataSource;
let store: DeliveryStore;
const WORKER = randomUUID();

beforeAll(async () => {
  database = await createDatabase();
  const settings = { DATABASE_URL: database.url, DATABASE_POOL_SIZE: 4, GRPC_TIMEOUT: 30 };
  await runMigrations(settings);
  dataSource = await new DataSource(dataSourceOptions(settings)).initialize();
  const client = new DatabaseClient(dataSource);
  store = new DeliveryStore(client);
  const now = new Date();
  const mail = { tenant: 'acme', createdAt: now, from: 'a@b.c', fromAddress: 'a@b.c', to: ['d@e.f'], cc: [], bcc: [], replyTo: [] };
  const rest = {
    subject: '',
    body: '',
    htmlBody: '',
    headers: {},
    metadata: {},
    attachments: [],
    sendAt: undefined,
    onUncertain: undefined,
  };
  const recipients = [{ address: 'd@e.f', kind: 'to' as const }];
  const expiresAt = new Date(now.getTime() + 60_000);
  const emails = Array.from({ length: 5 }, () => ({ ...mail, ...rest, id: randomUUID(), recipients, expiresAt, idempotency: undefined }));
  await new AcceptStore(client, { maxQueuedPerTenant: 100 }).write(emails);
});

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

const claim = async (worker: string, over: Partial<ClaimRequest> = {}) =>
  (await store.claim(worker, { limit: 10, held: [], tenantsHolding: [], placesPerTenant: 10, after: undefined, ...over })).emails;

const sent = (email: OutgoingEmail, reply: string): Outcome => ({
  tenant: email.tenant,
  emailId: email.id,
  attemptNo: email.attemptNo,
  attempt: { startedAt: new Date(), durationMs: 1, relay: 'r', outcome: 'accepted', reply, enhancedCode: '', tlsVersion: '' },
  recipients: [{ position: 0, address: 'd@e.f', event: 'taken', lastReply: reply, enhancedCode: '', reason: '' }],
  retryInMs: undefined,
});

test('an outcome that cannot be written fails alone; its batch mates are recorded', async () => {
  const claimed = await claim(WORKER);
  expect(claimed).toHaveLength(5);
  const results = await store.record(
    WORKER,
    claimed.map((email, i) => sent(email, i === 2 ? 'a NUL \0 that was not stopped' : '250 ok')),
  );
  expect(results).toEqual([true, true, expect.any(Error), true, true]);
  const jobs = await database.query<{ email_id: string }>('select email_id from job');
  expect(jobs).toEqual([{ email_id: claimed[2]?.id }]);
  const [counter] = await database.query<{ queued: string; last_event: string }>('select queued, last_event from tenant_counter');
  expect(counter).toEqual({ queued: '1', last_event: '9' });
});

test('an outcome told after its lease was lost changes nothing', async () => {
  const [row] = await database.query<{ email_id: string }>('select email_id from job');
  await database.query(`update job set run_at = now() - interval '1 s'`);
  const other = randomUUID();
  const [again] = await claim(other);
  expect(again).toMatchObject({ id: row?.email_id, takenOver: true, attemptNo: 2 });
  const late = sent({ ...(again as OutgoingEmail), attemptNo: 1 }, '250 late');
  expect(await store.record(WORKER, [late])).toEqual([false]);
  expect(await store.record(other, [sent(again as OutgoingEmail, '250 in time')])).toEqual([true]);
  expect(await database.query('select reply from attempt where email_id = $1', [row?.email_id])).toEqual([{ reply: '250 in time' }]);
});
