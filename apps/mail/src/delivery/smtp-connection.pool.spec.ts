import { eventually } from '../../../../test/eventually';
import { messageOf } from './outgoing-message.fixture';
import { HANG_UP, SAY_NOTHING, ScriptedRelay, type Script } from './relay.fixture';
import { parseRelays, type RelayAddress } from './relay-list';
import { SmtpConnectionFactory } from './smtp-connection.factory';
import { SmtpConnectionPool } from './smtp-connection.pool';
import { SmtpTransport } from './smtp.transport';

let relay: ScriptedRelay;
let pool: SmtpConnectionPool;
let transport: SmtpTransport;

const startWith = async (script: Script = {}, login = '') => {
  relay = await ScriptedRelay.start(script);
  pool = new SmtpConnectionPool(
    new SmtpConnectionFactory(parseRelays(relay.url.replace('//', `//${login}`))[0] as RelayAddress, {
      MAIL_RELAY_REQUIRE_TLS: false,
      MAIL_RELAY_CA: undefined,
      MAIL_RELAY_TIMEOUT_SECONDS: 1,
      MAIL_RELAY_EHLO_NAME: 'mail.example',
    }),
  );
  transport = new SmtpTransport(pool);
};

afterEach(async () => {
  transport.close();
  await relay.close();
});

const send = (to = ['a@example.com']) =>
  transport.send({ envid: 'msg_1', from: 'from@example.com', to }, messageOf(Buffer.from('\r\nhello\r\n')), () => Promise.resolve());
const outcomes = async (count: number) => {
  const found: string[] = [];
  for (let mail = 0; mail < count; mail++) found.push((await send()).outcome);
  return found;
};

test('mails one after the other share a connection', async () => {
  await startWith();
  expect(await outcomes(20)).toEqual(Array(20).fill('accepted'));
  expect(relay.connections).toBe(1);
  expect(relay.mails).toHaveLength(20);
});

test('mails at the same time have one each, and all are kept', async () => {
  await startWith();
  await Promise.all(Array.from({ length: 5 }, () => send()));
  expect(relay.connections).toBe(5);
  await Promise.all(Array.from({ length: 5 }, () => send()));
  expect(relay.connections).toBe(5);
});

test.each(['', '421 4.4.2 idle for too long\r\n'])(
  'a kept connection that the relay closed (%j) is replaced without a word',
  async (parting) => {
    await startWith();
    expect(await outcomes(1)).toEqual(['accepted']);
    await relay.hangUp(parting);
    expect(await outcomes(1)).toEqual(['accepted']);
    expect(relay.connections).toBe(2);
    expect(relay.mails).toHaveLength(2);
  },
);

test.each([HANG_UP, '421 4.4.2 idle for too long'])(
  'so is one that turns out to be closed when the next mail begins (%p)',
  async (answer) => {
    let mails = 0;
    await startWith({ answer: (command) => (command.startsWith('MAIL') && ++mails === 2 ? answer : undefined) });
    expect(await outcomes(2)).toEqual(['accepted', 'accepted']);
    expect(relay.connections).toBe(2);
  },
);

test('a new connection that fails is not tried a second time: the next attempt is', async () => {
  await startWith({ answer: (command) => (command.startsWith('MAIL') ? HANG_UP : undefined) });
  expect(await outcomes(1)).toEqual(['connection_failed']);
  expect(relay.connections).toBe(1);
});

test('after an answer that may have been the last word the mail is not sent again', async () => {
  let mails = 0;
  await startWith({ answer: (command) => (command === '.' && ++mails === 2 ? HANG_UP : undefined) });
  expect(await outcomes(2)).toEqual(['accepted', 'uncertain']);
  expect(relay.mails).toHaveLength(2);
});

test('a refused mail leaves nothing behind: RSET comes before the next', async () => {
  await startWith({ answer: (command) => (command.startsWith('RCPT TO:<gone') ? '550 5.1.1 no such user' : undefined) });
  expect((await send(['gone@example.com'])).outcome).toBe('refused');
  expect((await send()).outcome).toBe('accepted');
  expect(relay.commands.map((line) => line.split(':')[0])).toEqual([
    'EHLO mail.example',
    'MAIL FROM',
    'RCPT TO',
    'RSET',
    'MAIL FROM',
    'RCPT TO',
    'DATA',
  ]);
});

test('a connection that served many refused mails holds nothing of them', async () => {
  await startWith({ answer: (command) => (command.startsWith('RCPT') ? '550 5.1.1 no such user' : undefined) });
  expect(await outcomes(20)).toEqual(Array(20).fill('refused'));
  expect(relay.connections).toBe(1);
  const connection = pool.takeIdle();
  expect([connection?.listenerCount('end'), connection?.listenerCount('error')]).toEqual([0, 1]);
  connection?.close();
});

test.each([HANG_UP, SAY_NOTHING, '500 what', '421 4.3.2 closing'])(
  'a relay that answers RSET by %p costs the connection, nothing else',
  async (answer) => {
    const answers = new Map<string, typeof answer>([['RSET', answer]]);
    await startWith({ answer: (command) => (command.startsWith('RCPT TO:<gone') ? '550 5.1.1 no such user' : answers.get(command)) });
    expect((await send(['gone@example.com'])).outcome).toBe('refused');
    answers.clear();
    expect((await send()).outcome).toBe('accepted');
    expect(relay.connections).toBe(2);
  },
);

test.each([
  ['greeting', { greeting: '554 5.3.2 no service here' }],
  ['greeting', { greeting: HANG_UP }],
  ['greeting', { greeting: 'HTTP/1.1 400 Bad Request' }],
  ['greeting', { greeting: 'x'.repeat(100_000) }],
  ['greeting', { greeting: `220-${'x'.repeat(1000)}\r\n`.repeat(100) }],
  ['EHLO', { answer: (command) => (/^(EHLO|HELO)/.test(command) ? '550 5.5.0 who' : undefined) }],
  ['EHLO', { answer: (command) => (command.startsWith('EHLO') ? SAY_NOTHING : undefined) }],
] satisfies [string, Script][])('a relay that fails at its %s (%j): nothing is held against the mail', async (_, script) => {
  await startWith(script);
  const handover = await send();
  expect(handover).toMatchObject({ outcome: 'connection_failed', recipients: [{ result: 'unreached' }] });
  expect(handover.reply?.text.length).toBeLessThanOrEqual(512);
  await eventually(
    () => relay.open,
    (open) => open === 0,
  );
});

test.each([HANG_UP, SAY_NOTHING, '535 5.7.8 no', '421 4.7.0 too many attempts', 'what'])(
  'a relay that answers AUTH by %p',
  async (answer) => {
    await startWith({ offers: ['AUTH PLAIN'], answer: (command) => (command.startsWith('AUTH') ? answer : undefined) }, 'user:password@');
    expect(await send()).toMatchObject({ outcome: 'connection_failed', recipients: [{ result: 'unreached' }] });
    expect(relay.mails).toHaveLength(0);
  },
);

test('a relay that says nothing within a mail is given up in time', async () => {
  await startWith({ answer: (command) => (command === 'DATA' ? SAY_NOTHING : undefined) });
  expect(await outcomes(1)).toEqual(['connection_failed']);
});

test('an endless answer is cut off', async () => {
  await startWith({ answer: (command) => (command.startsWith('MAIL') ? 'x'.repeat(10_000_000) : undefined) });
  expect(await outcomes(1)).toEqual(['connection_failed']);
});

test('closing says QUIT on what is kept', async () => {
  await startWith();
  await Promise.all([send(), send()]);
  transport.close();
  await eventually(
    () => relay.open,
    (open) => open === 0,
  );
  expect(relay.commands.filter((line) => line === 'QUIT')).toHaveLength(2);
});
