import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { magicRecipients } from '../../tools/sink/magic-recipients';
import { type Sink, startSink } from '../../tools/sink/sink.server';
import { eventually } from '../eventually';
import { TestSystem } from './test-system';

let system: TestSystem;
let sink: Sink;
let inbox: string;

beforeAll(async () => {
  inbox = mkdtempSync(join(tmpdir(), 'sandbox-'));
  sink = await startSink({
    SGE_SMTP_SINK_PORT: 0,
    SGE_SMTP_SINK_INBOX: inbox,
    SGE_SMTP_SINK_MAX_SIZE: 1_000_000,
    SGE_SMTP_SINK_LATENCY_MS: 0,
  });
  system = await TestSystem.start({ MAIL_RELAY_URL: `smtp://127.0.0.1:${sink.port}`, MAIL_RETRY_BASE_SECONDS: '2' });
});
afterAll(async () => {
  await system?.stop();
  await sink?.close();
  rmSync(inbox, { recursive: true, force: true });
});

const send = async (...to: string[]): Promise<string> =>
  String((await system.rest('POST', '/api/v1/mail/send', { body: { to, subject: 'sandbox' } })).body.message_id);
const get = async (id: string) => (await system.rest('GET', `/api/v1/mail/${id}`)).body;
const reached = (id: string, status: string) =>
  eventually(
    () => get(id),
    (mail) => mail.status === status,
  );
const inInbox = (id: string): boolean => readdirSync(inbox).includes(`${id}.eml`);

test.each(magicRecipients.map((magic) => [magic.name, magic] as const))(
  '%s@ shows what is documented',
  async (name, { states, reason }) => {
    const id = await send(name === 'slow' ? 'slow+2@example.com' : `${name}@example.com`);
    const [first = '', ...later] = states;
    expect((await reached(id, first)).recipients).toMatchObject([{ status: first, ...(reason && { reason }) }]);
    for (const status of later) await reached(id, status);
    expect(inInbox(id)).toBe(states.includes('sent') || name === 'keep-and-drop');
  },
);

test('of several recipients only the refused one is refused', async () => {
  const id = await send('bounced@example.com', 'recipient@example.com');
  const mail = await eventually(
    () => get(id),
    ({ recipients }) => (recipients as { status: string }[])[1]?.status === 'sent',
  );
  expect(mail.recipients).toMatchObject([{ status: 'bounced' }, { status: 'sent' }]);
});

test('deferred@ expires at its time', async () => {
  const body = { to: ['deferred@example.com'], expires_at: Math.floor(Date.now() / 1000) + 3 };
  const id = String((await system.rest('POST', '/api/v1/mail/send', { body })).body.message_id);
  await reached(id, 'deferred');
  await reached(id, 'expired');
});

test('a doubt that is resolved by sending again is taken, where the sink cuts once', async () => {
  const body = { to: ['drop-after-dot+1@example.com'], on_uncertain: 'hold' };
  const id = String((await system.rest('POST', '/api/v1/mail/send', { body })).body.message_id);
  await reached(id, 'uncertain');
  expect(inInbox(id)).toBe(false);
  await system.grpc('resolveEmail', { id, resolution: 'resend' });
  await reached(id, 'sent');
  expect(inInbox(id)).toBe(true);
});
