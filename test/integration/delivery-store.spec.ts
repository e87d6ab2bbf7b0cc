import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { DatabaseClient, dataSourceOptions, runMigrations } from '@sky-genesis/database';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
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
  await runMigrations(mailDatabase(settings));
  dataSource = await new DataSource(dataSourceOptions(mailDatabase(settings))).initialize();
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

const NEVER = new AbortController().signal;
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
    NEVER,
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
  expect(await store.record(WORKER, [late], NEVER)).toEqual([false]);
  expect(await store.record(other, [sent(again as OutgoingEmail, '250 in time')], NEVER)).toEqual([true]);
  expect(await database.query('select reply from attempt where email_id = $1', [row?.email_id])).toEqual([{ reply: '250 in time' }]);
});

describe('a claim', () => {
  const WHOLE = { limit: 10, held: [], tenantsHolding: [], placesPerTenant: 10, after: undefined };
  const tenantsOf = (emails: readonly OutgoingEmail[]) => emails.map(({ tenant }) => tenant);

  beforeEach(() => database.query('delete from job'));

  /** Jobs of mails that are there, due so many seconds ago. */
  const enqueue = async (tenant: string, count: number, dueSecondsAgo: number): Promise<void> => {
    await database.query(
      `insert into email (tenant, id, created_at, from_mailbox, from_address, to_mailboxes, cc_mailboxes, bcc_mailboxes, reply_to, subject, body,
         html_body, headers, metadata, expires_at, attachment_count)
       select $1, gen_random_uuid(), now(), '', '', '{}', '{}', '{}', '{}', '', '', '', '{}', '{}', now() + interval '1 h', 0 from generate_series(1, $2)`,
      [tenant, count],
    );
    await database.query(
      `insert into job (tenant, email_id, run_at) select tenant, id, now() - make_interval(secs => $2) from email e where tenant = $1
         and not exists (select from job j where j.tenant = e.tenant and j.email_id = e.id)`,
      [tenant, dueSecondsAgo],
    );
  };

  test('takes tenants in turn, however many mails one of them has, and however old', async () => {
    await enqueue('flood', 200, 60);
    await enqueue('small', 2, 1);
    const { emails } = await store.claim(WORKER, WHOLE);
    expect(tenantsOf(emails).slice(0, 4).sort()).toEqual(['flood', 'flood', 'small', 'small']);
    expect(emails).toHaveLength(10);
  });

  test('gives a tenant no more places than it may hold, what it holds already counted', async () => {
    await enqueue('busy', 20, 60);
    const { emails } = await store.claim(WORKER, { ...WHOLE, placesPerTenant: 7, tenantsHolding: Array<string>(4).fill('busy') });
    expect(tenantsOf(emails)).toEqual(['busy', 'busy', 'busy']);
  });

  test('a flood of mails for later hides nothing that is due', async () => {
    await enqueue('later', 500, -3600);
    await enqueue('now', 1, 1);
    expect(tenantsOf((await store.claim(WORKER, WHOLE)).emails)).toEqual(['now']);
  });

  test('with more tenants than one claim looks at, the next goes on where it ended', async () => {
    await database.query(
      `insert into email (tenant, id, created_at, from_mailbox, from_address, to_mailboxes, cc_mailboxes, bcc_mailboxes, reply_to, subject, body,
         html_body, headers, metadata, expires_at, attachment_count)
       select 'many-' || lpad(n::text, 4, '0'), gen_random_uuid(), now(), '', '', '{}', '{}', '{}', '{}', '', '', '', '{}', '{}', now() + interval '1 h', 0
       from generate_series(1, 250) n`,
    );
    await database.query(`insert into job (tenant, email_id, run_at) select tenant, id, now() + case when tenant = 'many-0210'
      then interval '-1 s' else interval '1 h' end from email where tenant like 'many-%'`);
    const first = await store.claim(WORKER, WHOLE);
    const second = await store.claim(WORKER, { ...WHOLE, after: first.walkedTo });
    const third = await store.claim(WORKER, { ...WHOLE, after: second.walkedTo });
    expect([first, second, third].map(({ emails, walkedTo }) => [tenantsOf(emails), walkedTo])).toEqual([
      [[], 'many-0100'],
      [[], 'many-0200'],
      [['many-0210'], undefined],
    ]);
  });

  test('tells of the mark that a worker left who died after it; the mark stays until the doubt is recorded', async () => {
    await enqueue('marked', 1, 1);
    const [email] = (await store.claim(WORKER, WHOLE)).emails as [OutgoingEmail];
    expect(email.dataSent).toBeUndefined();
    expect(await store.mark(WORKER, [{ email, relay: 'relay:25', positions: [0, 2] }])).toEqual([true]);
    for (const other of [randomUUID(), randomUUID()]) {
      await database.query(`update job set run_at = now() - interval '1 s'`);
      const [again] = (await store.claim(other, WHOLE)).emails;
      expect(again).toMatchObject({ takenOver: true, dataSent: { at: expect.any(Date), relay: 'relay:25', positions: [0, 2] } });
    }
    expect(await store.mark(WORKER, [{ email, relay: 'relay:25', positions: [0] }])).toEqual([false]);
  });

  test('an outcome that leaves something to do takes the mark away', async () => {
    await enqueue('cleared', 1, 1);
    const [email] = (await store.claim(WORKER, WHOLE)).emails as [OutgoingEmail];
    await store.mark(WORKER, [{ email, relay: 'relay:25', positions: [0] }]);
    expect(await store.record(WORKER, [{ ...sent(email, '451 later'), retryInMs: 0 }], NEVER)).toEqual([true]);
    const [again] = (await store.claim(WORKER, WHOLE)).emails;
    expect(again).toMatchObject({ takenOver: false, dataSent: undefined });
  });
});
