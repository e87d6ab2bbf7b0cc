import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { type Sink, startSink } from './sink.server';
import { SmtpSession, until } from './smtp-session.fixture';

const ID = 'msg_0193a0e2-7c11-7aaa-8bbb-123456789abc';
const MAX = 200_000;

let folder: string;
let inbox: string;
let sink: Sink;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sink-'));
  inbox = join(folder, 'inbox');
  sink = await startSink({ SGE_SMTP_SINK_PORT: 0, SGE_SMTP_SINK_INBOX: inbox, SGE_SMTP_SINK_MAX_SIZE: MAX, SGE_SMTP_SINK_LATENCY_MS: 0 });
});

afterEach(async () => {
  await sink.close();
  rmSync(folder, { recursive: true });
});

const mails = (): string[] => readdirSync(inbox).filter((name) => name.endsWith('.eml'));
const halfWritten = (): string[] => readdirSync(join(inbox, '.incoming'));

async function send(mail: { messageId?: string; text: string; subject?: string; to?: string }): Promise<string> {
  const client = createTransport({ host: '127.0.0.1', port: sink.port, ignoreTLS: true });
  try {
    const sent = await client.sendMail({ from: 'sender@example.com', to: 'recipient@example.com', subject: 'Hello', ...mail });
    return sent.response;
  } finally {
    client.close();
  }
}

test('a mail of ours is kept under its id, byte for byte', async () => {
  const text = `.a line that begins with a dot\r\nGrüße\r\n${'x'.repeat(100_000)}`;
  expect(await send({ messageId: `<${ID}@example.com>`, text, subject: 'Grüße' })).toMatch(/^250 /);
  expect(mails()).toEqual([`${ID}.eml`]);
  const kept = readFileSync(join(inbox, `${ID}.eml`), 'utf8');
  expect(kept).toContain(`Message-ID: <${ID}@example.com>`);
  expect(kept).toMatch(/\r\n\.a line that begins/);
  expect(halfWritten()).toEqual([]);
});

test('the same mail again stays one file', async () => {
  await send({ messageId: `<${ID}@example.com>`, text: 'first' });
  await send({ messageId: `<${ID}@example.com>`, text: 'second' });
  expect(mails()).toEqual([`${ID}.eml`]);
  expect(readFileSync(join(inbox, `${ID}.eml`), 'utf8')).toContain('second');
});

test.each(['<../../etc/passwd@example.com>', '<msg_..%2f@example.com>', `<${ID}x@example.com>`, '<other@example.com>'])(
  'a mail of another name (%s) gets one made here',
  async (messageId) => {
    await send({ messageId, text: 'Message content' });
    expect(mails()).toEqual([expect.stringMatching(/^mail_[0-9a-f-]{36}\.eml$/)]);
  },
);

test('a Message-ID in the body names nothing', async () => {
  await send({ messageId: '<other@example.com>', text: `Message-ID: <${ID}@example.com>` });
  expect(mails()).toEqual([expect.stringMatching(/^mail_/)]);
});

test('an international address is taken', async () => {
  expect(await send({ text: 'Message content', to: 'empfänger@example.com' })).toMatch(/^250 /);
});

test('a mail over the bound is refused for good, announced or not, and leaves nothing', async () => {
  await expect(send({ text: 'x'.repeat(MAX) })).rejects.toMatchObject({ responseCode: 552 });
  const session = await SmtpSession.open(sink.port);
  for (const line of ['EHLO me', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>', 'DATA']) await session.ask(line);
  expect(await session.ask(`Subject: large\r\n\r\n${'x\r\n'.repeat(MAX)}.`)).toMatch(/^552 /);
  session.end();
  expect([...mails(), ...halfWritten()]).toEqual([]);
});

test('a mail that breaks off leaves nothing', async () => {
  const session = await SmtpSession.open(sink.port);
  for (const line of ['EHLO me', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>', 'DATA']) await session.ask(line);
  session.write(`Message-ID: <${ID}@example.com>\r\n\r\nhalf`);
  await until(() => halfWritten().length === 1);
  session.end();
  await until(() => halfWritten().length === 0);
  expect(mails()).toEqual([]);
});

test('the extensions that mail uses are announced', async () => {
  const session = await SmtpSession.open(sink.port);
  const greeting = await session.ask('EHLO me');
  for (const extension of ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', 'DSN', `SIZE ${MAX}`])
    expect(greeting).toContain(extension);
  expect(greeting).not.toMatch(/STARTTLS|AUTH/);
  session.end();
});
