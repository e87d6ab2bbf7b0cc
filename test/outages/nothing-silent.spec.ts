import type { SMTPServerSession } from 'smtp-server';
import { freePort } from '../free-port';
import { eventually } from '../eventually';
import { MailProcess } from '../integration/mail-process';
import { createDatabase, type TestDatabase } from '../integration/test-database';
import { TestRelay } from '../integration/test-relay';
import { mailEnvironment, TestSystem } from '../integration/test-system';

interface Seen {
  status: string;
  recipients: { status: string; attempts: number; last_reply?: string; reason?: string; next_attempt_at?: number }[];
}

const NOT_NOW = Object.assign(new Error('4.7.1 not now'), { responseCode: 451 });
const NONE = { queued: 0, scheduled: 0, deferred: 0, sending: 0, hanging: 0, uncertain: 0 };

let database: TestDatabase;
let relay: TestRelay;
/** Accepts and tells; delivers nothing. */
let system: TestSystem;
/** Whether the relay serves everybody: puts nobody off, leaves nobody waiting, cuts no connection. */
let healed: boolean;
const waiting: (() => void)[] = [];

beforeEach(async () => {
  healed = false;
  database = await createDatabase();
  relay = new TestRelay(await freePort(), {
    onRcptTo: ({ address }, _session, done) => {
      if (!healed && address.startsWith('stuck@')) waiting.push(done);
      else done(!healed && address.startsWith('later@') ? NOT_NOW : undefined);
    },
    onData(stream, session: SMTPServerSession, done) {
      stream.on('data', () => undefined).on('end', () => (isCut(session) ? cut(this) : done()));
    },
  });
  await relay.start();
  system = await TestSystem.start({ MAIL_WORKER: 'false' }, { database, relay });
});
afterEach(async () => {
  waiting.splice(0).forEach((done) => done());
  await system?.stop();
});

const isCut = (session: SMTPServerSession): boolean => !healed && session.envelope.rcptTo[0]?.address.startsWith('cut@') === true;
const cut = (server: unknown): void =>
  (server as { connections: Set<{ _socket: { destroy(): void } }> }).connections.forEach(({ _socket: socket }) => socket.destroy());

const send = async (body: object): Promise<string> => String((await system.rest('POST', '/api/v1/mail/send', { body })).body.message_id);
const get = async (id: string) => (await system.rest('GET', `/api/v1/mail/${id}`)).body as unknown as Seen;
const until = (id: string, status: string) =>
  eventually(
    () => get(id),
    (mail) => mail.status === status,
  );
const startProcess = async (settings: Record<string, string>) => MailProcess.start(await mailEnvironment(database, relay, settings));
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/** The values of a metric, by one of its labels. */
async function metric({ healthUrl }: MailProcess, name: string, label: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${healthUrl}/metrics`)).text();
  const values = text.matchAll(new RegExp(`^${name}\\{.*?${label}="(\\w+)".*?\\} (\\S+)$`, 'gm'));
  return Object.fromEntries(Array.from(values, ([, of = '', value]) => [of, Number(value)]));
}
const plain = async ({ healthUrl }: MailProcess, name: string): Promise<number> =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await (await fetch(`${healthUrl}/metrics`)).text())?.[1]);
const errors = ({ lines }: MailProcess) => lines.filter(({ level }) => level === 'error');

test('what nobody works on is told by a gauge and an error line; taken over, it is counted, and the line says that it is over', async () => {
  const victim = await startProcess({ MAIL_RETRY_BASE_SECONDS: '1' });
  const sending = await send({ to: ['stuck@example.com'] });
  const deferred = await send({ to: ['later@example.com'] });
  await until(sending, 'sending');
  await until(deferred, 'deferred');
  await victim.kill('SIGKILL');
  const queued = await send({ to: ['queued@example.com'] });
  const scheduled = await send({ to: ['scheduled@example.com'], send_at: inSeconds(2) });

  const watcher = await startProcess({ MAIL_WORKER: 'false', MAIL_OVERDUE_SECONDS: '5', LOG_LEVEL: 'info' });
  const overdue = () => metric(watcher, 'mail_overdue', 'state');
  const told = { queued: 1, scheduled: 1, deferred: 1, sending: 1 };
  await eventually(overdue, (states) => states.queued === 1 && states.sending === 1, 40_000);
  expect(await overdue()).toEqual({ ...NONE, ...told });
  expect(await plain(watcher, 'mail_oldest_due_seconds')).toBeGreaterThan(5);
  expect(await metric(watcher, 'mail_jobs', 'state')).toEqual({ due: 3, held: 1, later: 0 });
  const [line, ...more] = errors(watcher);
  expect(more).toEqual([]);
  expect(line).toMatchObject({ msg: 'mails are overdue', overdue: { queued: { count: 1, oldest: queued } } });

  healed = true;
  const heir = await startProcess({});
  try {
    for (const id of [sending, deferred, queued, scheduled]) await until(id, 'sent');
    expect(await plain(heir, 'mail_leases_taken_over_total')).toBe(1);
    await eventually(overdue, (states) => Object.values(states).every((count) => count === 0));
    await eventually(
      () => watcher.lines.at(-1),
      (last) => last?.msg === 'nothing is overdue any more',
    );
    expect(await metric(heir, 'mail_attempts_total', 'outcome')).toEqual({ accepted: 4 });
    expect(await plain(heir, 'mail_accept_to_sent_seconds_count')).toBe(4);
    expect(await metric(heir, 'mail_handover_duration_seconds_count', 'outcome')).toEqual({ accepted: 4 });
  } finally {
    await heir.kill('SIGKILL');
    await watcher.kill('SIGKILL');
  }
}, 120_000);

test('a doubt that is held is told until somebody resolves it', async () => {
  const worker = await startProcess({ MAIL_ON_UNCERTAIN: 'hold', MAIL_UNCERTAIN_OVERDUE_SECONDS: '5', LOG_LEVEL: 'error' });
  try {
    const id = await send({ to: ['cut@example.com'] });
    await until(id, 'uncertain');
    const overdue = () => metric(worker, 'mail_overdue', 'state');
    await eventually(overdue, (states) => states.uncertain === 1, 30_000);
    expect(await overdue()).toEqual({ ...NONE, uncertain: 1 });
    expect(errors(worker)).toEqual([
      expect.objectContaining({ overdue: { uncertain: expect.objectContaining({ oldest: id }) as object } }),
    ]);
    await system.grpc('resolveEmail', { id, resolution: 'sent', note: 'asked the recipient' });
    await eventually(overdue, (states) => states.uncertain === 0, 30_000);
  } finally {
    await worker.kill('SIGKILL');
  }
}, 90_000);

describe('GET shows what was last said, and what comes next', () => {
  test('queued: next is now; scheduled: next is send_at', async () => {
    const queued = await get(await send({ to: ['a@example.com'] }));
    expect(queued.recipients).toMatchObject([{ status: 'queued', attempts: 0 }]);
    expect(Math.abs((queued.recipients[0]?.next_attempt_at ?? 0) - inSeconds(0))).toBeLessThan(5);
    const send_at = inSeconds(600);
    const scheduled = await get(await send({ to: ['a@example.com'], send_at }));
    expect(scheduled.recipients).toMatchObject([{ status: 'scheduled', attempts: 0, next_attempt_at: send_at }]);
  });

  test('deferred: the reply, and the next attempt in time; sent: nothing is next', async () => {
    const worker = await startProcess({ MAIL_RETRY_BASE_SECONDS: '2' });
    try {
      const id = await send({ to: ['later@example.com', 'stuck@example.org'] });
      await eventually(
        () => waiting.length,
        (held) => held === 1,
      );
      expect((await get(id)).status).toBe('sending');
      waiting.splice(0).forEach((done) => done());
      const deferred = await until(id, 'deferred');
      const [later] = deferred.recipients;
      expect(later).toMatchObject({ status: 'deferred', attempts: 1, last_reply: '451 4.7.1 not now', reason: 'RELAY_DEFERRED' });
      expect(Math.abs((later?.next_attempt_at ?? 0) - inSeconds(2))).toBeLessThanOrEqual(2);
      expect(deferred.recipients[1]).toMatchObject({ status: 'sent', attempts: 1 });
      expect(deferred.recipients[1]?.next_attempt_at).toBeUndefined();
    } finally {
      await worker.kill('SIGKILL');
    }
  }, 60_000);

  test('sending again: the reply of the last attempt, and no next one', async () => {
    const worker = await startProcess({ MAIL_RETRY_BASE_SECONDS: '1' });
    try {
      const id = await send({ to: ['later@example.com'] });
      await until(id, 'deferred');
      // From now on it hangs where it was refused.
      await relay.stop();
      await relay.start({ onRcptTo: (_address, _session, done) => void waiting.push(done) });
      const [recipient] = (await until(id, 'sending')).recipients;
      expect(recipient).toMatchObject({ status: 'sending', last_reply: expect.stringMatching(/^451|ECONNREFUSED/) as string });
      expect(recipient?.next_attempt_at).toBeUndefined();
    } finally {
      await worker.kill('SIGKILL');
    }
  }, 60_000);

  test.each([
    ['resend', true],
    ['hold', false],
  ] as const)(
    'uncertain, %s: why, and the next attempt if there is one',
    async (on_uncertain, again) => {
      const worker = await startProcess({ MAIL_RETRY_BASE_SECONDS: '60' });
      try {
        const id = await send({ to: ['cut@example.com'], on_uncertain });
        const [recipient] = (await until(id, 'uncertain')).recipients;
        expect(recipient).toMatchObject({ status: 'uncertain', attempts: 1, reason: 'NO_REPLY_AFTER_DATA' });
        expect(typeof recipient?.next_attempt_at).toBe(again ? 'number' : 'undefined');
      } finally {
        await worker.kill('SIGKILL');
      }
    },
    60_000,
  );
});
