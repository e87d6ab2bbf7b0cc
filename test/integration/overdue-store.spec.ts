import { DataSource } from 'typeorm';
import { DatabaseClient, dataSourceOptions, runMigrations } from '@sky-genesis/database';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { DoubtWalk } from '../../apps/mail/src/delivery/doubt-walk';
import { OverdueStore } from '../../apps/mail/src/delivery/overdue.store';
import { stateAges } from '../../apps/mail/src/delivery/state-ages';
import { createDatabase, type TestDatabase } from './test-database';

let database: TestDatabase;
let dataSource: DataSource;
let store: OverdueStore;
const ages = stateAges({ MAIL_OVERDUE_SECONDS: 60, MAIL_UNCERTAIN_OVERDUE_SECONDS: 3600, MAIL_RELAY_TIMEOUT_SECONDS: 1, relays: 1 });
const WORKER = '0190a0b0-0000-7000-8000-00000000ffff';

beforeAll(async () => {
  database = await createDatabase();
  const settings = { DATABASE_URL: database.url, DATABASE_POOL_SIZE: 4, GRPC_TIMEOUT: 30 };
  await runMigrations(mailDatabase(settings));
  dataSource = await new DataSource(dataSourceOptions(mailDatabase(settings))).initialize();
  store = new OverdueStore(new DatabaseClient(dataSource), 'resend');
});
afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});
afterEach(() => database.query('truncate email cascade'));

interface Mail {
  status?: string;
  /** Seconds from now to when the job is due; undefined: no job. */
  dueIn?: number;
  worker?: string;
  sendAt?: Date;
  onUncertain?: 'hold' | 'resend';
  /** Seconds since an attempt that ended in doubt. */
  doubtAgo?: number;
}

/** So many mails of one kind; gives the id of the first. */
async function insert({ status = 'queued', dueIn, worker, sendAt, onUncertain, doubtAgo }: Mail, count = 1): Promise<string> {
  const ids = `with e as (
    insert into email select 'acme', gen_random_uuid(), now(), '', '', '{}', '{}', '{}', '{}', '', '', '', '{}', '{}', $1, now(), $2, 0
    from generate_series(1, ${count}) returning tenant, id
  ), r as (
    insert into recipient (tenant, email_id, position, address, kind, status, updated_at) select tenant, id, 0, 'a@b.c', 'to', $3, now() from e
  ), j as (
    insert into job (tenant, email_id, run_at, worker) select tenant, id, now() + make_interval(secs => $4), $5 from e where $4::float8 is not null
  ), a as (
    insert into attempt select tenant, id, 1, now() - make_interval(secs => $6), 1, 'r', 'uncertain', '', '', '' from e where $6::float8 is not null
  ) select id from e`;
  const values = [sendAt ?? null, onUncertain ?? null, status, dueIn ?? null, worker ?? null, doubtAgo ?? null];
  const [row] = await database.query<{ id: string }>(ids, values);
  return String(row?.id);
}

test('nothing there: nothing is due', async () => {
  expect(await store.due(ages)).toEqual({ oldestDueSeconds: 0, overdue: [] });
  expect([...(await store.jobs())]).toEqual([]);
  expect(await store.doubts(0)).toEqual({ overdue: undefined, next: undefined });
});

test('each state is told by itself, with the oldest; what is due for less long, or held, is in order', async () => {
  await insert({ dueIn: -62 }, 2);
  const queued = await insert({ dueIn: -300 });
  const scheduled = await insert({ dueIn: -61, sendAt: new Date(Date.now() - 61_000) });
  const deferred = await insert({ dueIn: -61, status: 'deferred' });
  const again = await insert({ dueIn: -62, status: 'uncertain' });
  const sending = await insert({ dueIn: -61, worker: WORKER });
  await insert({ dueIn: -50 });
  await insert({ dueIn: -50, worker: WORKER });
  await insert({ dueIn: 10, worker: WORKER });
  await insert({ dueIn: 3600 }, 4);
  const { oldestDueSeconds, overdue } = await store.due(ages);
  expect(Math.floor(oldestDueSeconds / 10)).toBe(30);
  expect(Object.fromEntries(overdue.map(([state, { count, oldestId }]) => [state, [count, oldestId]]))).toEqual({
    queued: [3, queued],
    scheduled: [1, scheduled],
    deferred: [2, again],
    sending: [1, sending],
  });
  expect(deferred).not.toBe(again);
  expect(Object.fromEntries(await store.jobs())).toEqual({ due: 7, held: 3, later: 4 });
});

test('what is due for a while, but not too long, is no fault, and its age is seen', async () => {
  await insert({ dueIn: -42 });
  const { oldestDueSeconds, overdue } = await store.due(ages);
  expect([Math.floor(oldestDueSeconds / 2), overdue]).toEqual([21, []]);
});

test('no more than the oldest thousand are looked at', async () => {
  await insert({ dueIn: -100 }, 1200);
  await insert({ dueIn: -90, status: 'deferred' });
  expect((await store.due(ages)).overdue).toEqual([['queued', expect.objectContaining({ count: 1000 })]]);
});

test('a doubt waits for somebody from its end of time on; not one resolved, nor one that is sent again', async () => {
  const hold = await insert({ status: 'uncertain', doubtAgo: 5000, onUncertain: 'hold' });
  // Other recipients of the mail may still wait for their next attempt.
  await insert({ status: 'uncertain', doubtAgo: 4000, onUncertain: 'hold', dueIn: 60 });
  await insert({ status: 'uncertain', doubtAgo: 4000 });
  await insert({ status: 'uncertain', doubtAgo: 9000, dueIn: 60 });
  await insert({ status: 'sent', doubtAgo: 9000 });
  await insert({ status: 'uncertain', doubtAgo: 3000, onUncertain: 'hold' });
  expect(await store.doubts(3600)).toMatchObject({ overdue: { count: 3, oldestId: hold }, next: undefined });
});

test('doubts are read by the page, and none is left out, however many began in the same moment', async () => {
  await insert({ status: 'sent', doubtAgo: 9000 }, 1500);
  const first = await insert({ status: 'uncertain', doubtAgo: 8000 });
  await insert({ status: 'uncertain', doubtAgo: 7000 }, 1600);
  const walk = new DoubtWalk((after) => store.doubts(3600, after));
  const steps = [];
  for (let i = 0; i < 4; i++) steps.push((await walk.step())?.count);
  expect(steps).toEqual([undefined, 500, 1500, 1601]);
  expect((await walk.step())?.oldestId).toBe(first);
});
