import { freePort } from '../free-port';
import { eventually } from '../eventually';
import { TestRelay } from '../integration/test-relay';
import { TestSystem } from '../integration/test-system';

const refuse = (code: number, text: string) => Object.assign(new Error(text), { responseCode: code });

let system: TestSystem;
let relay: TestRelay;
let laterRefused = 0;

beforeAll(async () => {
  relay = new TestRelay(await freePort(), {
    hideSMTPUTF8: true,
    onRcptTo: ({ address }, _session, done) => {
      if (address.startsWith('nobody@')) done(refuse(550, '5.1.1 no such user'));
      else if (address.startsWith('later@') && laterRefused++ < 2) done(refuse(451, '4.7.1 greylisted'));
      else done();
    },
  });
  await relay.start();
  system = await TestSystem.start({ MAIL_RETRY_BASE_SECONDS: '1', MAIL_RETURN_PATH: 'bounces@example.com' }, { relay });
});
afterAll(() => system?.stop());

const send = async (body: object): Promise<string> => String((await system.rest('POST', '/api/v1/mail/send', { body })).body.message_id);
const get = async (id: string) => (await system.rest('GET', `/api/v1/mail/${id}`)).body as unknown as Seen;
const until = (id: string, status: string) =>
  eventually(
    () => get(id),
    (mail) => mail.status === status,
  );

interface Seen {
  status: string;
  recipients: {
    address: string;
    status: string;
    attempts: number;
    last_reply?: string;
    enhanced_code?: string;
    reason?: string;
    next_attempt_at?: number;
  }[];
  attempts: { outcome: string; reply: string; relay: string; duration_ms: number }[];
}

test('each recipient has its own outcome: taken, refused for good, and taken later', async () => {
  const id = await send({ to: ['ok@example.com', 'nobody@example.com', 'later@example.com'] });
  const deferred = await until(id, 'deferred');
  expect(deferred.recipients).toEqual([
    expect.objectContaining({ address: 'ok@example.com', status: 'sent' }),
    expect.objectContaining({
      status: 'bounced',
      enhanced_code: '5.1.1',
      reason: 'RELAY_REFUSED',
      last_reply: expect.stringContaining('no such user') as string,
    }),
    expect.objectContaining({ status: 'deferred', enhanced_code: '4.7.1', next_attempt_at: expect.any(Number) as number }),
  ]);
  const done = await until(id, 'bounced');
  expect(done.recipients.map(({ status, attempts }) => [status, attempts])).toEqual([
    ['sent', 1],
    ['bounced', 1],
    ['sent', 3],
  ]);
  // Those that were reached are not sent to again.
  expect(relay.received(id).map(({ to }) => to)).toEqual([['ok@example.com'], ['later@example.com']]);
  expect(done.attempts.map(({ outcome }) => outcome)).toEqual(['accepted', 'deferred', 'accepted']);
});

test('events tell each change, numbered without a gap', async () => {
  const rows = await system.database.query<{ cursor: string; type: string }>('select cursor, type from event order by cursor');
  expect(rows.map(({ cursor }) => Number(cursor))).toEqual(rows.map((_, i) => i + 1));
  expect(rows.map(({ type }) => type)).toEqual(expect.arrayContaining(['email.queued', 'email.sent', 'email.bounced', 'email.deferred']));
});

test('with the relay down: deferred, with the reason and the next attempt; back up: sent', async () => {
  await relay.stop();
  const id = await send({ to: ['down@example.com'] });
  const deferred = await until(id, 'deferred');
  expect(deferred.recipients[0]).toMatchObject({
    reason: 'RELAY_UNREACHABLE',
    last_reply: expect.stringContaining('ECONNREFUSED') as string,
    next_attempt_at: expect.any(Number) as number,
  });
  expect(deferred.attempts[0]).toMatchObject({ outcome: 'connection_failed', relay: `127.0.0.1:${relay.port}` });
  await relay.start();
  await until(id, 'sent');
});

test('the envelope sender is MAIL_RETURN_PATH, the From of the mail stays its own', async () => {
  const id = await send({ to: ['envelope@example.com'] });
  await until(id, 'sent');
  expect(relay.received(id)[0]?.from).toBe('bounces@example.com');
  expect((await relay.parsed(id)).from?.value[0]?.address).toBe('sender@example.com');
});

test('what is not reached by expires_at expires', async () => {
  await relay.stop();
  const id = await send({ to: ['slow@example.com'], expires_at: Math.floor(Date.now() / 1000) + 3 });
  const expired = await until(id, 'expired');
  expect(expired.recipients[0]).toMatchObject({ reason: 'EXPIRED', last_reply: expect.stringContaining('ECONNREFUSED') as string });
  await relay.start();
});

test('an address in UTF-8 at a relay without SMTPUTF8 fails for good, and says why', async () => {
  const id = await send({ to: ['grüße@example.com'] });
  const failed = await until(id, 'failed');
  expect(failed.recipients[0]).toMatchObject({ reason: 'SMTPUTF8_UNSUPPORTED' });
});

test('canceled against sent, 100 times: never both, never neither', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const id = await send({ to: ['race@example.com'] });
      const answer = await system.rest('POST', `/api/v1/mail/${id}/cancel`);
      return { id, canceled: answer.status === 200 };
    }),
  );
  for (const { id, canceled } of outcomes) {
    const { status } = await eventually(
      () => get(id),
      (mail) => ['sent', 'canceled'].includes(mail.status),
    );
    expect([id, status, relay.received(id).length]).toEqual([id, canceled ? 'canceled' : 'sent', canceled ? 0 : 1]);
  }
});
