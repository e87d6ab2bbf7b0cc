import { Writable } from 'node:stream';
import { eventually } from '../../../../test/eventually';
import { messageSource } from './message-source';
import { outgoingMessage, type ReadObject } from './outgoing-message';
import { messageOf, objectOf } from './outgoing-message.fixture';
import { parseRelays, type RelayAddress } from './relay-list';
import { ScriptedRelay, type Script } from './relay.fixture';
import { SmtpConnectionFactory } from './smtp-connection.factory';
import { SmtpConnectionPool } from './smtp-connection.pool';
import { type BeforeDot, SmtpTransport } from './smtp.transport';

let relay: ScriptedRelay;
let transport: SmtpTransport;

const startWith = async (script: Script = {}) => {
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
  transport?.close();
  await relay?.close();
});

/** A header, then a file that is read in this way. */
const withFile = (size: number, read: ReadObject) =>
  outgoingMessage(Buffer.from('Subject: hello\r\n\r\n'), [{ object: objectOf(size), after: Buffer.from('\r\n') }], read);

const begun = () =>
  eventually(
    () => relay.pending,
    (bytes) => bytes > 0,
  );
const allClosed = () =>
  eventually(
    () => relay.open,
    (open) => open === 0,
  );

const send = (
  message = messageOf(Buffer.from('Subject: hello\r\n\r\nhello\r\n')),
  beforeDot: BeforeDot = () => Promise.resolve(),
  to = ['a@example.com'],
) => transport.send({ envid: 'msg_1', from: 'from@example.com', to }, message, beforeDot);

describe('a message whose files cannot be read', () => {
  /** Some of it is at the relay when its file turns out to be away. */
  const broken = () =>
    // eslint-disable-next-line require-yield -- it is away from the beginning
    withFile(1000, async function* () {
      await begun();
      throw new Error('no store');
    });

  test('is put off, by no fault of the relay: it ends without its dot, which was not even asked about', async () => {
    await startWith({ answer: (command) => (command.startsWith('RCPT TO:<gone') ? '550 5.1.1 no such user' : undefined) });
    const marked = jest.fn(() => Promise.resolve());
    const handover = await send(broken(), marked, ['a@example.com', 'gone@example.com']);
    expect(handover).toMatchObject({ outcome: 'deferred', conversationMs: expect.any(Number) as number });
    expect(handover.recipients.map(({ result, reason }) => [result, reason])).toEqual([
      ['deferred', 'CONTENT_UNAVAILABLE'],
      ['refused', ''],
    ]);
    await allClosed();
    expect([marked.mock.calls, relay.mails]).toEqual([[], []]);
    expect((await send()).outcome).toBe('accepted');
  });

  test('on a kept connection, too: it is not tried again on another', async () => {
    await startWith();
    await send();
    expect((await send(broken())).outcome).toBe('deferred');
    expect(relay.connections).toBe(1);
  });
});

test.each([
  ['552 5.3.4 too big', 'refused'],
  ['452 4.3.1 full', 'deferred'],
  ['250 2.0.0 ok', 'connection_failed'],
])(
  'a relay that says %s before it has all of a mail: %s, and the connection, where the rest would be taken for commands, is not used again',
  async (answer, outcome) => {
    await startWith();
    const marked = jest.fn(() => Promise.resolve());
    // eslint-disable-next-line require-yield -- it never comes
    const message = withFile(1000, async function* () {
      await begun();
      relay.say(answer);
      await new Promise(() => undefined);
    });
    expect((await send(message, marked)).outcome).toBe(outcome);
    await allClosed();
    expect([marked.mock.calls, relay.mails, relay.commands.filter((line) => line === 'RSET')]).toEqual([[], [], []]);
  },
);

test('what is waited for here is not counted to the relay', async () => {
  await startWith();
  let spent = 0;
  const takeAWhile = async () => {
    const began = performance.now();
    while (performance.now() - began < 200) await new Promise((resolve) => setImmediate(resolve));
    spent += performance.now() - began;
  };
  const message = withFile(3, async function* () {
    await takeAWhile();
    yield Buffer.from('abc');
  });
  const began = performance.now();
  const { conversationMs } = await send(message, takeAWhile);
  expect(spent).toBeGreaterThanOrEqual(400);
  expect(conversationMs).toBeLessThanOrEqual(performance.now() - began - spent);
});

test('a file is read as fast as the socket takes it: what waits is a piece and a part of it, however slow the relay is', async () => {
  const SIZE = 8 * 1024 * 1024;
  let read = 0;
  let passed = 0;
  let held: (() => void) | undefined;
  // A socket whose other side takes one write at a time, when it is told to.
  const socket = new Writable({
    highWaterMark: 64 * 1024,
    write: (chunk: Buffer, _, done) => {
      held = () => {
        passed += chunk.length;
        done();
      };
    },
  });
  const message = withFile(SIZE, async function* () {
    while (read < SIZE) {
      read += 256 * 1024;
      yield Buffer.alloc(256 * 1024);
    }
  });
  let dot = false;
  const source = messageSource(
    message.parts(),
    socket as never,
    () => Promise.resolve(),
    () => (dot = true),
  );
  source.pipe(socket, { end: false });
  let most = 0;
  while (!dot) {
    // Whatever could be read ahead is read by then.
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, (read * 4) / 3 - passed);
    const takeOne = held;
    held = undefined;
    takeOne?.();
  }
  expect(passed).toBe(message.size);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(512 * 1024);
});
