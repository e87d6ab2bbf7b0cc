import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sink, startSink } from './sink.server';
import { SmtpSession } from './smtp-session.fixture';

const LATENCY_MS = 50;

let folder: string;
let inbox: string;
let sink: Sink;
let sessions: SmtpSession[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sink-'));
  inbox = join(folder, 'inbox');
  sink = await startSink({
    SGE_SMTP_SINK_PORT: 0,
    SGE_SMTP_SINK_INBOX: inbox,
    SGE_SMTP_SINK_MAX_SIZE: 200_000,
    SGE_SMTP_SINK_LATENCY_MS: LATENCY_MS,
  });
});

afterEach(async () => {
  sessions.forEach((session) => session.end());
  sessions = [];
  await sink.close();
  rmSync(folder, { recursive: true });
});

const mails = (): number => readdirSync(inbox).filter((name) => name.endsWith('.eml')).length;
const halfWritten = (): string[] => readdirSync(join(inbox, '.incoming'));

/** A session up to MAIL FROM of one mail. */
async function mailFrom(envid = 'one'): Promise<SmtpSession> {
  const session = await SmtpSession.open(sink.port);
  sessions.push(session);
  await session.ask('EHLO me');
  await session.ask(`MAIL FROM:<sender@example.com> RET=HDRS ENVID=${envid}`);
  return session;
}

const rcptTo = (session: SmtpSession, name: string): Promise<string> => session.ask(`RCPT TO:<${name}@example.com>`);

/** Up to the content of a mail to these; its final dot is still to come. */
async function content(...names: string[]): Promise<SmtpSession> {
  const session = await mailFrom();
  for (const name of names) await rcptTo(session, name);
  await session.ask('DATA');
  session.write('Subject: one\r\n\r\ncontent\r\n');
  return session;
}

/** '': the connection was ended without a word. */
const replyToMail = async (...names: string[]): Promise<string> => (await content(...names)).ask('.');

describe('at RCPT', () => {
  test.each([
    ['bounced', /^550 5\.1\.1 \w/],
    ['full', /^552 5\.2\.2 \w/],
    ['deferred', /^451 4\.7\.1 \w/],
    ['greylisted', /^451 4\.7\.1 \w/],
  ])('%s is refused, and it alone', async (name, reply) => {
    const session = await mailFrom();
    expect(await rcptTo(session, name)).toMatch(reply);
    expect(await rcptTo(session, 'other')).toMatch(/^250 /);
    await session.ask('DATA');
    expect(await session.ask('Subject: one\r\n\r\ncontent\r\n.')).toMatch(/^250 .*kept as/);
    expect(mails()).toBe(1);
  });

  test.each(['bounced', 'full', 'deferred'])('%s stays as it is', async (name) => {
    const session = await mailFrom();
    const replies = [await rcptTo(session, name), await rcptTo(session, name), await rcptTo(session, name)];
    expect(new Set(replies).size).toBe(1);
  });

  test('greylisted is taken the second time that the same mail comes, and not for another mail', async () => {
    expect(await rcptTo(await mailFrom('one'), 'greylisted')).toMatch(/^451 /);
    expect(await rcptTo(await mailFrom('two'), 'greylisted')).toMatch(/^451 /);
    expect(await rcptTo(await mailFrom('one'), 'Greylisted')).toMatch(/^250 /);
    expect(await rcptTo(await mailFrom('one'), 'greylisted')).toMatch(/^250 /);
    expect(await rcptTo(await mailFrom('one'), 'greylisted+tag')).toMatch(/^451 /);
  });

  test('a number in the tag is how often', async () => {
    const replies: string[] = [];
    for (let i = 0; i < 3; i++) replies.push((await rcptTo(await mailFrom(), 'deferred+2')).slice(0, 3));
    expect(replies).toEqual(['451', '451', '250']);
  });

  test('busy is told 421 and the connection ended', async () => {
    const session = await mailFrom();
    expect(await rcptTo(session, 'busy')).toMatch(/^421 /);
    expect(await session.lastWords()).toBe('');
  });
});

describe('at DATA', () => {
  test('drop-before-data ends the connection in place of the reply', async () => {
    const session = await mailFrom();
    expect(await rcptTo(session, 'drop-before-data')).toMatch(/^250 /);
    session.write('DATA\r\n');
    expect(await session.lastWords()).toBe('');
    expect(mails()).toBe(0);
  });
});

describe('at the final dot', () => {
  test('rejected is refused, and not kept', async () => {
    expect(await replyToMail('rejected')).toMatch(/^554 5\.7\.1 \w/);
    expect(mails()).toBe(0);
  });

  test('drop-after-dot ends the connection without a reply, once the dot is there, and keeps nothing', async () => {
    const session = await content('drop-after-dot');
    // Read in order: the sink has the content before it answers another connection about it.
    await mailFrom();
    const ended = session.lastWords();
    expect(await Promise.race([ended, mailFrom('later').then(() => 'still open')])).toBe('still open');
    session.write('.\r\n');
    expect(await ended).toBe('');
    expect([mails(), halfWritten()]).toEqual([0, []]);
  });

  test('keep-and-drop ends the connection without a reply, and keeps the mail', async () => {
    expect(await replyToMail('keep-and-drop')).toBe('');
    expect(mails()).toBe(1);
  });

  test('malformed is answered with what is no reply, and not kept', async () => {
    const words = await replyToMail('malformed');
    expect(words).toMatch(/^[^\d].*\r\n$/);
    expect(mails()).toBe(0);
  });

  test('slow is kept at once, and answered after its time', async () => {
    const session = await content('slow+1');
    const began = performance.now();
    expect(await session.ask('.')).toMatch(/^250 /);
    expect(performance.now() - began).toBeGreaterThan(990);
    expect(mails()).toBe(1);
  });

  test('drop-after-dot+1 is taken the second time', async () => {
    expect(await replyToMail('drop-after-dot+1')).toBe('');
    expect(await replyToMail('drop-after-dot+1')).toMatch(/^250 /);
    expect(mails()).toBe(1);
  });

  test('the most drastic of several concerns the whole mail', async () => {
    expect(await replyToMail('other', 'rejected', 'drop-after-dot', 'slow')).toBe('');
    expect(mails()).toBe(0);
  });

  test('nobody else is cut', async () => {
    const other = await mailFrom('other');
    expect(await replyToMail('keep-and-drop')).toBe('');
    expect(await rcptTo(other, 'other')).toMatch(/^250 /);
  });

  test('every other reply waits for the latency of the setting', async () => {
    const session = await content('other');
    const began = performance.now();
    expect(await session.ask('.')).toMatch(/^250 /);
    expect(performance.now() - began).toBeGreaterThan(LATENCY_MS - 2);
  });
});
