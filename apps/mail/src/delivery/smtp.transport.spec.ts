import { eventually } from '../../../../test/eventually';
import { messageOf } from './outgoing-message.fixture';
import { HANG_UP, ScriptedRelay, type Script } from './relay.fixture';
import { parseRelays, type RelayAddress } from './relay-list';
import { SmtpConnectionFactory } from './smtp-connection.factory';
import { SmtpConnectionPool } from './smtp-connection.pool';
import { type BeforeDot, SmtpTransport } from './smtp.transport';

const MESSAGE = Buffer.from('Subject: hello\r\n\r\nhello\r\n');
const PIPELINING = ['PIPELINING', 'ENHANCEDSTATUSCODES'];

let relay: ScriptedRelay;
let transport: SmtpTransport;

const startWith = async (script: Script) => {
  relay = await ScriptedRelay.start(script);
  const settings = {
    MAIL_RELAY_REQUIRE_TLS: false,
    MAIL_RELAY_TIMEOUT_SECONDS: 5,
    MAIL_RELAY_CA: undefined,
    MAIL_RELAY_EHLO_NAME: 'mail.example',
  };
  const [address] = parseRelays(relay.url) as [RelayAddress];
  transport = new SmtpTransport(new SmtpConnectionPool(new SmtpConnectionFactory(address, settings)));
};

afterEach(async () => {
  transport.close();
  await relay.close();
});

const send = (to: string[] = ['a@example.com'], message = MESSAGE, beforeDot: BeforeDot = () => Promise.resolve()) =>
  transport.send({ envid: 'msg_1', from: 'from@example.com', to }, messageOf(message), beforeDot);

/** What is told for each recipient: the result, and the code of the reply it rests on. */
const results = ({ recipients }: Awaited<ReturnType<typeof send>>) => recipients.map(({ result, reply }) => `${result} ${reply?.code}`);

/** Answers commands that begin so. */
const answering =
  (answers: Record<string, string | typeof HANG_UP>): Script['answer'] =>
  (command) =>
    Object.entries(answers).find(([start]) => command.startsWith(start))?.[1];

// A relay may offer to take the envelope at once (RFC 2920) or not: what comes of a mail must not depend on it.
describe.each([
  ['with PIPELINING', PIPELINING],
  ['without PIPELINING', []],
])('%s', (_, offers) => {
  const start = (answers: Record<string, string | typeof HANG_UP>) => startWith({ offers, answer: answering(answers) });

  test('an accepted mail: the reply, its enhanced code, and the bytes as they were', async () => {
    await startWith({ offers });
    expect(await send(['a@example.com', 'b@example.com'])).toEqual({
      outcome: 'accepted',
      relay: new URL(relay.url).host,
      conversationMs: expect.any(Number),
      reply: { code: 250, text: '250 2.0.0 queued as 42', enhancedCode: '2.0.0' },
      tlsVersion: '',
      recipients: Array(2).fill({
        result: 'accepted',
        reply: { code: 250, text: '250 2.0.0 queued as 42', enhancedCode: '2.0.0' },
        reason: '',
      }),
    });
    expect(relay.mails).toEqual([MESSAGE.subarray(0, -2)]);
    expect(relay.commands).toEqual([
      'EHLO mail.example',
      'MAIL FROM:<from@example.com>',
      'RCPT TO:<a@example.com>',
      'RCPT TO:<b@example.com>',
      'DATA',
    ]);
  });

  test('some recipients refused for good, some for now: each has the reply that is its own', async () => {
    await start({ 'RCPT TO:<gone': '550 5.1.1 no such user', 'RCPT TO:<full': '452 4.2.2 mailbox full' });
    const handover = await send(['a@example.com', 'gone@example.com', 'full@example.com', 'b@example.com']);
    expect(handover.outcome).toBe('accepted');
    expect(results(handover)).toEqual(['accepted 250', 'refused 550', 'deferred 452', 'accepted 250']);
    expect(handover.recipients[1]?.reply).toEqual({ code: 550, text: '550 5.1.1 no such user', enhancedCode: '5.1.1' });
    expect(relay.mails).toHaveLength(1);
  });

  test('all recipients refused: nothing is sent, and the connection serves the next mail', async () => {
    await start({ 'RCPT TO:<gone': '550-5.1.1 no such\r\n550 5.1.1 user', 'RCPT TO:<full': '452 4.2.2 full', DATA: '354 go on' });
    const handover = await send(['gone@example.com', 'full@example.com']);
    expect(handover.outcome).toBe('deferred');
    expect(results(handover)).toEqual(['refused 550', 'deferred 452']);
    expect(handover.recipients[0]?.reply?.text).toBe('550-5.1.1 no such 550 5.1.1 user');
    expect(relay.commands).toContain('RSET');
    expect((await send()).outcome).toBe('accepted');
    expect(relay.connections).toBe(1);
  });

  test.each([
    ['550 5.7.1 not from you', 'refused'],
    ['451 4.7.1 come back later', 'deferred'],
  ])('MAIL FROM answered by %s counts for every recipient, whatever is said after it', async (reply, result) => {
    await start({ MAIL: reply, RCPT: '503 5.5.1 need MAIL command', DATA: '503 5.5.1 need RCPT command' });
    const handover = await send(['a@example.com', 'b@example.com']);
    expect(handover.outcome).toBe(result);
    expect(handover.recipients.map((recipient) => [recipient.result, recipient.reply?.text])).toEqual(Array(2).fill([result, reply]));
    expect(relay.mails).toHaveLength(0);
  });

  test.each(['DATA', '.'])('a refusal at %s counts for those that RCPT had accepted', async (command) => {
    await start({ 'RCPT TO:<gone': '550 5.1.1 no such user', [command]: '451 4.3.0 not now' });
    const handover = await send(['a@example.com', 'gone@example.com']);
    expect(handover.outcome).toBe('deferred');
    expect(results(handover)).toEqual(['deferred 451', 'refused 550']);
  });

  test('a mail refused for what it holds is refused, not retried', async () => {
    await start({ '.': '554 5.6.0 spam' });
    expect(results(await send())).toEqual(['refused 554']);
  });

  test.each(['EHLO', 'MAIL', 'RCPT', 'DATA', '.'])(
    '421 at %s is about the connection: told, and not held against the mail',
    async (command) => {
      await start({ [command]: '421 4.3.2 closing' });
      const handover = await send();
      expect(handover.outcome).toBe('connection_failed');
      expect(handover.recipients[0]?.result).toMatch(/unreached|deferred/);
      expect(handover.recipients[0]?.reply).toEqual({ code: 421, text: '421 4.3.2 closing', enhancedCode: '4.3.2' });
    },
  );

  test.each(['MAIL', 'RCPT', 'DATA'])('a connection dropped at %s: nothing was handed over', async (command) => {
    await start({ [command]: HANG_UP });
    const handover = await send();
    expect(handover.outcome).toBe('connection_failed');
    expect(results(handover)).toEqual(['unreached 0']);
  });

  test('a recipient that was refused before the connection dropped stays refused', async () => {
    await start({ 'RCPT TO:<gone': '550 5.1.1 no such user', DATA: HANG_UP });
    expect(results(await send(['gone@example.com', 'a@example.com']))).toEqual(['refused 550', 'unreached 0']);
  });

  test.each(['hello', '354 go on', '999 what'])('an answer such as "%s" to MAIL FROM decides nothing', async (garbage) => {
    await start({ MAIL: garbage });
    expect(await send()).toMatchObject({ outcome: 'connection_failed', recipients: [{ result: 'unreached' }] });
  });

  test.each(['hello', '354 go on', '999 what'])('an answer such as "%s" to the final dot leaves it open', async (garbage) => {
    await start({ '.': garbage });
    expect(await send()).toMatchObject({ outcome: 'uncertain', recipients: [{ result: 'uncertain' }] });
  });
});

describe('the final dot', () => {
  test('a connection dropped after it, without an answer: nobody knows', async () => {
    await startWith({ answer: answering({ 'RCPT TO:<gone': '550 5.1.1 no such user', '.': HANG_UP }) });
    const handover = await send(['a@example.com', 'gone@example.com']);
    expect(handover.outcome).toBe('uncertain');
    expect(handover.recipients.map(({ result }) => result)).toEqual(['uncertain', 'refused']);
  });

  test('a connection dropped before it: nothing was taken', async () => {
    await startWith({ hangUpAfterBytes: 1 });
    // More than the system's buffers hold: the dot cannot have left.
    const handover = await send(['a@example.com'], Buffer.alloc(32 * 1024 * 1024, 'abcdefg\r\n'));
    expect(handover).toMatchObject({ outcome: 'connection_failed', conversationMs: expect.any(Number) });
    expect(results(handover)).toEqual(['unreached 0']);
  });

  test('a mail larger than every buffer on the way arrives whole', async () => {
    await startWith({ offers: PIPELINING });
    const large = Buffer.alloc(9 * 1024 * 1024, 'abcdefg\r\n');
    expect((await send(['a@example.com'], large)).outcome).toBe('accepted');
    expect(relay.mails[0]?.equals(large.subarray(0, -2))).toBe(true);
  });

  test('it is the only one: dots and line ends within a mail cannot end it', async () => {
    await startWith({});
    await send(['a@example.com'], Buffer.from('Subject: x\r\n\r\n.\r\n..\r\na\n.\nb\r.\rc\r\n.\r\nMAIL FROM:<evil@example.com>\r\n'));
    expect(relay.mails.map(String)).toEqual([
      'Subject: x\r\n\r\n..\r\n...\r\na\r\n..\r\nb\r\n..\r\nc\r\n..\r\nMAIL FROM:<evil@example.com>',
    ]);
    expect(relay.commands.filter((line) => line.startsWith('MAIL'))).toEqual(['MAIL FROM:<from@example.com>']);
  });
});

test.each(['2', '2x0 ok', '25 ok', '299'])('%j after the dot is no acceptance: nobody knows', async (answer) => {
  await startWith({ answer: answering({ '.': answer }) });
  const handover = await send();
  expect([handover.outcome, handover.recipients[0]?.result]).toEqual(
    answer === '299' ? ['accepted', 'accepted'] : ['uncertain', 'uncertain'],
  );
});

describe('what has to be written down before the final dot', () => {
  test('is told who will have the mail, by which relay; all of the mail is there then, and the dot is not', async () => {
    await startWith({ offers: PIPELINING, answer: answering({ 'RCPT TO:<gone': '550 5.1.1 no such user' }) });
    const told: unknown[] = [];
    const handover = await send(['a@example.com', 'gone@example.com', 'b@example.com'], MESSAGE, async (...mark) => {
      await eventually(
        () => relay.pending,
        (bytes) => bytes >= MESSAGE.length,
      );
      told.push(...mark, relay.mails.length);
    });
    expect(told).toEqual([new URL(relay.url).host, ['a@example.com', 'b@example.com'], 0]);
    expect(handover.recipients.map(({ result }) => result)).toEqual(['accepted', 'refused', 'accepted']);
  });

  test('when it cannot be, the dot never leaves, and the connection is not used again', async () => {
    await startWith({});
    const handover = await send(['a@example.com'], MESSAGE, () => Promise.reject(new Error('no database')));
    expect(handover.outcome).toBe('connection_failed');
    expect(handover.recipients.map(({ result }) => result)).toEqual(['unreached']);
    expect((await send()).outcome).toBe('accepted');
    expect(relay.mails).toHaveLength(1);
    expect(relay.connections).toBe(2);
  });

  test('a relay that hangs up meanwhile has not taken the mail: no doubt', async () => {
    await startWith({});
    const handover = await send(['a@example.com'], MESSAGE, () => relay.hangUp());
    expect(handover.outcome).toBe('connection_failed');
    expect(relay.mails).toHaveLength(0);
  });
});

test.each(['a@example.com>\r\nRCPT TO:<b@example.com', 'a@example.com>', 'a\r\nDATA', ''])(
  'an address such as %j never reaches the relay',
  async (address) => {
    await startWith({});
    for (const envelope of [
      { envid: 'msg_1', from: 'from@example.com', to: [address] },
      { envid: 'msg_1', from: address, to: ['a@example.com'] },
    ]) {
      if (envelope.from === '') continue;
      expect((await transport.send(envelope, messageOf(MESSAGE), () => Promise.resolve())).outcome).toBe('connection_failed');
    }
    expect(relay.commands.every((line) => line.startsWith('EHLO'))).toBe(true);
  },
);
