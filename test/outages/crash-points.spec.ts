import { join } from 'node:path';
import { type Client, credentials, loadPackageDefinition, Metadata } from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import { runMigrations } from '@sky-genesis/database';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { readMailConfig } from '../../apps/mail/src/mail.config';
import type { CrashPoint } from '../faults/crash-points';
import { eventually } from '../eventually';
import { freePort } from '../free-port';
import { MailProcess } from '../integration/mail-process';
import { createDatabase, type TestDatabase } from '../integration/test-database';
import { TestRelay } from '../integration/test-relay';
import { mailEnvironment, TestSystem, token } from '../integration/test-system';

const MAIL_WITH_CRASH_POINTS = join(__dirname, '..', 'faults', 'dist', 'mail-with-crash-points.js');
const KEY = 'one-mail';
const EMAIL = { to: ['recipient@example.com'], subject: 'crash', body: 'point' };

let database: TestDatabase;
let relay: TestRelay;
let system: TestSystem | undefined;

beforeEach(async () => {
  database = await createDatabase();
  relay = new TestRelay(await freePort());
  await relay.start();
});

afterEach(async () => {
  if (system) return system.stop();
  await relay.stop();
  await database.drop();
});

/** A mail process gets one mail and is killed at that point; another one takes over what it left. */
async function crashAt(point: CrashPoint, policy: 'hold' | 'resend'): Promise<{ told: string | undefined; id: string }> {
  const environment = await mailEnvironment(database, relay, { MAIL_ON_UNCERTAIN: policy, CRASH_POINT: point });
  await runMigrations(mailDatabase(readMailConfig(environment)));
  const victim = await MailProcess.start(environment, MAIL_WITH_CRASH_POINTS);
  const told = await submitTo(victim.grpcUrl);
  expect(await victim.ended()).toBe('SIGKILL');
  // Its lease runs out; nobody has to wait for that here.
  await database.query('update job set run_at = now() where worker is not null');
  system = await TestSystem.start({ MAIL_ON_UNCERTAIN: policy, MAIL_RETRY_BASE_SECONDS: '1' }, { relay, database });
  const { body } = await system.rest('POST', '/api/v1/mail/send', { body: EMAIL, headers: { 'idempotency-key': KEY } });
  return { told, id: String(body.message_id) };
}

/** The id, where the process lived long enough to tell it. */
function submitTo(address: string): Promise<string | undefined> {
  const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as any;
  const client = new contract.MailService(address, credentials.createInsecure()) as Client & Record<string, any>;
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token()}`);
  return new Promise<string | undefined>((resolve) => {
    client.submitEmail({ email: EMAIL, idempotencyKey: KEY }, metadata, (error: unknown, answer: { messageId: string }) =>
      resolve(error ? undefined : answer.messageId),
    );
  }).finally(() => client.close());
}

/** Once it is over: the state, the types of its events, and how often the relay took it. */
async function outcomeOf(id: string): Promise<{ status: unknown; events: string[]; taken: number }> {
  await eventually(
    () => database.query('select 1 from job'),
    (jobs) => jobs.length === 0,
  );
  const { body } = (await system?.rest('GET', `/api/v1/mail/${id}`)) ?? {};
  const events = await database.query<{ type: string }>('select type from event order by cursor');
  return { status: body?.status, events: events.map(({ type }) => type), taken: relay.received(id).length };
}

describe('mail is killed', () => {
  test.each<[CrashPoint, answered: boolean]>([
    ['before the accept is committed', false],
    ['after the accept is committed, before the answer', false],
    ['after the claim', true],
    ['before the mark', true],
    ['after the record', true],
  ])('%s: the mail is sent once, and nothing is in doubt', async (point, answered) => {
    const { told, id } = await crashAt(point, 'resend');
    // Who was answered and asks again gets the same answer. The answer may still be on its way when the process dies.
    expect([undefined, id]).toContain(told);
    if (!answered) expect(told).toBeUndefined();
    expect(await outcomeOf(id)).toEqual({ status: 'sent', events: ['email.queued', 'email.sent'], taken: 1 });
  });

  test.each<[CrashPoint, takenBefore: number]>([
    ['after the mark, before the dot', 0],
    ['after the dot, before the reply', 1],
    ['after the reply, before the record', 1],
  ])('%s, resend: the doubt is said, and the mail is sent again', async (point, takenBefore) => {
    const { id } = await crashAt(point, 'resend');
    const events = ['email.queued', 'email.uncertain', 'email.sent'];
    expect(await outcomeOf(id)).toEqual({ status: 'sent', events, taken: takenBefore + 1 });
  });

  test.each<[CrashPoint, taken: number]>([
    ['after the mark, before the dot', 0],
    ['after the dot, before the reply', 1],
    ['after the reply, before the record', 1],
  ])('%s, hold: the doubt is said, and the mail is not sent again', async (point, taken) => {
    const { id } = await crashAt(point, 'hold');
    expect(await outcomeOf(id)).toEqual({ status: 'uncertain', events: ['email.queued', 'email.uncertain'], taken });
  });
});
