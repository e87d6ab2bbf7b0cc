import type { SMTPServerSession } from 'smtp-server';
import { freePort } from '../free-port';
import { eventually } from '../eventually';
import { TestRelay } from './test-relay';
import { TestSystem } from './test-system';

let system: TestSystem;
let relay: TestRelay;
/** Cuts the connection of the mails whose recipient begins with cut@, after all of the message and before the reply. */
const cutOnce = new Set<string>();

beforeAll(async () => {
  const port = await freePort();
  relay = new TestRelay(port);
  await relay.start({
    onData(stream, session: SMTPServerSession, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks);
        const messageId = /^message-id: <([^@>]*)/im.exec(raw.toString('latin1'))?.[1] ?? '';
        const to = session.envelope.rcptTo.map(({ address }) => address);
        relay.mails.push({ messageId, from: '', to, raw });
        if (to[0]?.startsWith('cut') && !cutOnce.has(messageId)) {
          cutOnce.add(messageId);
          (this as unknown as { connections: Set<{ _socket: { destroy(): void } }> }).connections.forEach((c) => c._socket.destroy());
        } else callback();
      });
    },
  });
  system = await TestSystem.start({ MAIL_RETRY_BASE_SECONDS: '1', MAIL_RELAY_CONNECTIONS: '1' }, { relay });
});
afterAll(() => system?.stop());

const send = async (body: object): Promise<string> => String((await system.rest('POST', '/api/v1/mail/send', { body })).body.message_id);
const get = async (id: string) => (await system.rest('GET', `/api/v1/mail/${id}`)).body;

test('cut after the dot, hold: uncertain, said so, and not sent again', async () => {
  const id = await send({ to: ['cut@example.com'], on_uncertain: 'hold' });
  const mail = await eventually(
    () => get(id),
    (seen) => seen.status === 'uncertain',
  );
  expect(mail).toMatchObject({
    recipients: [{ status: 'uncertain', reason: 'NO_REPLY_AFTER_DATA' }],
    attempts: [{ outcome: 'uncertain' }],
  });
  expect(relay.received(id)).toHaveLength(1);
});

test('cut after the dot, resend: sent again under the same Message-ID, and the doubt stays on record', async () => {
  const id = await send({ to: ['cut@example.com'], on_uncertain: 'resend' });
  const mail = await eventually(
    () => get(id),
    (seen) => seen.status === 'sent',
  );
  expect((mail.attempts as { outcome: string }[]).map(({ outcome }) => outcome)).toEqual(['accepted', 'uncertain']);
  const told = await system.database.query('select status, detail from event where email_id = $1 order by cursor', [
    id.replace('msg_', ''),
  ]);
  expect(told).toEqual([
    { status: 'queued', detail: '' },
    { status: 'uncertain', detail: expect.any(String) },
    { status: 'sent', detail: expect.stringContaining('250') },
  ]);
  expect(relay.received(id)).toHaveLength(2);
});
