import type { SMTPServerSession } from 'smtp-server';
import { eventually } from '../eventually';
import { freePort } from '../free-port';
import { TestRelay } from './test-relay';
import { TestSystem, token } from './test-system';

let system: TestSystem;
let relay: TestRelay;
let cutting = true;

beforeAll(async () => {
  relay = new TestRelay(await freePort());
  await relay.start({
    onRcptTo: ({ address }, _session, callback) =>
      callback(address.startsWith('later') ? Object.assign(new Error('later'), { responseCode: 451 }) : undefined),
    onData(stream, session: SMTPServerSession, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks);
        const messageId = /^message-id: <([^@>]*)/im.exec(raw.toString('latin1'))?.[1] ?? '';
        relay.mails.push({ messageId, from: '', to: session.envelope.rcptTo.map(({ address }) => address), raw });
        if (!cutting) return callback();
        (this as unknown as { connections: Set<{ _socket: { destroy(): void } }> }).connections.forEach((c) => c._socket.destroy());
      });
    },
  });
  system = await TestSystem.start({ MAIL_RETRY_BASE_SECONDS: '1', MAIL_RELAY_CONNECTIONS: '1', MAIL_ON_UNCERTAIN: 'hold' }, { relay });
});
afterAll(() => system?.stop());
beforeEach(() => (cutting = true));

const get = async (id: string) => (await system.rest('GET', `/api/v1/mail/${id}`)).body;
const resolve = (id: string, resolution: string, more: object = {}) =>
  system.grpc<{ status: string }>('resolveEmail', { id, resolution, ...more });
const events = async (id: string) =>
  database<{ status: string; recipient: string; detail: string }>(
    'select status, recipient, detail from event where email_id = $1 order by cursor',
    [id.replace('msg_', '')],
  );
const database = <Row>(text: string, values: unknown[] = []) => system.database.query<Row>(text, values);
const counter = async () => Number((await database<{ queued: string }>('select queued from tenant_counter'))[0]?.queued);

const doubtful = async (to: string[] = ['bob@example.com'], options: object = {}): Promise<string> => {
  const { messageId } = await system.grpc<{ messageId: string }>('submitEmail', { email: { to }, options });
  await eventually(
    () => database('select from recipient where email_id = $1 and status = $2', [messageId.replace('msg_', ''), 'uncertain']),
    (rows) => rows.length > 0,
  );
  return messageId;
};

test('sent: it arrived, says who knows; the note stands in the event', async () => {
  const id = await doubtful();
  expect(await resolve(id, 'sent', { note: 'seen in the inbox by Ann' })).toMatchObject({ status: 'sent' });
  expect(await get(id)).toMatchObject({ status: 'sent', recipients: [{ status: 'sent', reason: 'RESOLVED_BY_HAND' }] });
  expect((await events(id)).at(-1)).toEqual({ status: 'sent', recipient: 'bob@example.com', detail: 'seen in the inbox by Ann' });
});

test('failed: it is given up', async () => {
  const id = await doubtful();
  expect(await resolve(id, 'failed')).toMatchObject({ status: 'failed' });
  expect(await counter()).toBe(0);
});

test('resend: it is sent again, under the same Message-ID, though its time was over', async () => {
  const id = await doubtful();
  await database(`update email set expires_at = now() - interval '1 h' where id = $1`, [id.replace('msg_', '')]);
  cutting = false;
  expect(await resolve(id, 'resend')).toMatchObject({ status: 'queued' });
  const mail = await eventually(
    () => get(id),
    ({ status }) => status === 'sent',
  );
  expect((mail.attempts as { outcome: string }[]).map(({ outcome }) => outcome)).toEqual(['accepted', 'uncertain']);
  expect(relay.received(id)).toHaveLength(2);
  expect((await events(id)).map(({ status }) => status)).toEqual(['queued', 'uncertain', 'queued', 'sent']);
  expect(await counter()).toBe(0);
});

test('only the recipient that is named, of a mail with others', async () => {
  const id = await doubtful(['ann@example.com', 'bob@example.com']);
  expect(await resolve(id, 'sent', { recipient: 'Bob <bob@example.com>' })).toMatchObject({ status: 'uncertain' });
  expect(await get(id)).toMatchObject({ recipients: [{ status: 'uncertain' }, { status: 'sent' }] });
});

test('a recipient that still waits goes on waiting', async () => {
  const id = await doubtful(['later@example.com', 'bob@example.com']);
  await resolve(id, 'sent').catch(async () => {
    // A worker had it at that moment.
    await eventually(() => resolve(id, 'sent').then(Boolean, () => false), Boolean);
  });
  const mail = await eventually(
    () => get(id),
    ({ status }) => status === 'deferred',
  );
  expect(mail).toMatchObject({ recipients: [{ status: 'deferred', next_attempt_at: expect.any(Number) }, { status: 'sent' }] });
});

test('a doubt that waits for being resent can be settled before: then it is not', async () => {
  const id = await doubtful(['bob@example.com'], { onUncertain: 'UNCERTAIN_POLICY_RESEND' });
  await eventually(() => resolve(id, 'sent').then(Boolean, () => false), Boolean);
  expect(await database('select from job where email_id = $1', [id.replace('msg_', '')])).toEqual([]);
  expect(await get(id)).toMatchObject({ status: 'sent' });
});

test('settled twice at the same time: once', async () => {
  const id = await doubtful();
  const answers = await Promise.all(['sent', 'failed', 'sent', 'failed'].map((word) => resolve(id, word).catch((error) => error.reason)));
  expect(answers.filter((answer) => answer === 'NOTHING_TO_RESOLVE')).toHaveLength(3);
  expect((await events(id)).map(({ status }) => status).slice(0, -1)).toEqual(['queued', 'uncertain']);
});

test('while a worker holds the mail, nobody can say: EMAIL_BUSY', async () => {
  const id = await doubtful();
  await database(
    "insert into job (tenant, email_id, run_at, worker, attempt_no) values ($1, $2, now() + interval '1 h', gen_random_uuid(), 5)",
    ['acme', id.replace('msg_', '')],
  );
  expect(await system.grpcError('resolveEmail', { id, resolution: 'sent' })).toMatchObject({ reason: 'EMAIL_BUSY', code: 'ABORTED' });
  expect(await get(id)).toMatchObject({ status: 'uncertain' });
  await database('delete from job');
});

test.each([
  [{ resolution: '' }, 'resolution'],
  [{ resolution: 'delivered' }, 'resolution'],
  [{ resolution: 'toString' }, 'resolution'],
  [{ resolution: 'sent', recipient: 'nobody' }, 'recipient'],
  [{ resolution: 'sent', note: 'a\nb' }, 'note'],
  [{ resolution: 'sent', note: 'x'.repeat(513) }, 'note'],
])('%j is refused by name', async (request, field) => {
  const id = await doubtful();
  const error = await system.grpcError('resolveEmail', { id, ...request });
  expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { violations: [{ field }] } });
  expect(await get(id)).toMatchObject({ status: 'uncertain' });
});

test('a mail without a doubt, another tenant’s, one that is not there', async () => {
  cutting = false;
  const { messageId: id } = await system.grpc<{ messageId: string }>('submitEmail', { email: { to: ['bob@example.com'] } });
  await eventually(
    () => get(id),
    ({ status }) => status === 'sent',
  );
  const asked = { id, resolution: 'failed' };
  expect(await system.grpcError('resolveEmail', asked)).toMatchObject({ reason: 'NOTHING_TO_RESOLVE' });
  expect(await system.grpcError('resolveEmail', asked, { token: token({ tenant: 'other' }) })).toMatchObject({ reason: 'EMAIL_NOT_FOUND' });
  expect(await get(id)).toMatchObject({ status: 'sent' });
});

test('a cancel stops the resending of a doubt, which stays one', async () => {
  const id = await doubtful(['bob@example.com'], { onUncertain: 'UNCERTAIN_POLICY_RESEND' });
  await eventually(
    () =>
      system.grpc<{ status: string }>('cancelEmail', { id }).then(
        ({ status }) => status,
        ({ reason }) => reason,
      ),
    (answer) => answer === 'uncertain',
  );
  expect(await database('select from job where email_id = $1', [id.replace('msg_', '')])).toEqual([]);
});
