import type { Handover } from './handover';
import { messageOf } from './outgoing-message.fixture';
import { Relay, type RelayLimits } from './relay';
import { Relays } from './relays';

const ENVELOPE = { envid: 'msg_1', from: 'a@example.com', to: ['b@example.com'] };

/** A fake of the transport to one relay: says what the test tells it to. */
class FakeTransport {
  outcome: Handover['outcome'] = 'accepted';
  opened = false;
  sent = 0;
  most = 0;
  private underWay = 0;
  private readonly waiting: (() => void)[] = [];
  holding = false;

  constructor(readonly name: string) {}

  async send(): Promise<Handover> {
    this.sent++;
    this.most = Math.max(this.most, ++this.underWay);
    if (this.holding) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.underWay--;
    return {
      outcome: this.outcome,
      relay: this.name,
      conversationMs: this.opened || this.outcome !== 'connection_failed' ? 1 : undefined,
      reply: undefined,
      tlsVersion: '',
      recipients: [],
    };
  }

  release(): void {
    this.waiting.splice(0).forEach((go) => go());
  }

  close(): void {}
}

let now = 0;
beforeEach(() => (now = 0));

function relays(...limits: Partial<RelayLimits>[]): { list: Relays; transports: FakeTransport[]; send: () => Promise<string> } {
  const transports = limits.map((_, i) => new FakeTransport(`relay${i}`));
  const each = transports.map((transport, i) => new Relay(transport, { connections: 10, rate: undefined, ...limits[i] }));
  // A clock that moves by itself, so that waiting for a turn ends.
  const list = new Relays(each, () => (now += 0.001));
  const send = async () => {
    const { outcome, relay } = await list.send(ENVELOPE, messageOf(Buffer.alloc(0)), () => Promise.resolve());
    return `${relay} ${outcome}`;
  };
  return { list, transports, send };
}

test('the first that can be reached takes the mail', async () => {
  const { transports, send } = relays({}, {});
  expect(await send()).toBe('relay0 accepted');
  expect(transports[1]?.sent).toBe(0);
});

test('one that cannot be reached is passed over in the same attempt, and then for a while', async () => {
  const { transports, send } = relays({}, {});
  const [first] = transports as [FakeTransport];
  first.outcome = 'connection_failed';
  expect(await send()).toBe('relay1 accepted');
  expect(await send()).toBe('relay1 accepted');
  expect(first.sent).toBe(1);
});

test.each(['deferred', 'refused', 'uncertain'] as const)(
  'an answer is final for the attempt: %s goes to no other relay',
  async (outcome) => {
    const { transports, send } = relays({}, {});
    (transports[0] as FakeTransport).outcome = outcome;
    expect(await send()).toBe(`relay0 ${outcome}`);
    expect(transports[1]?.sent).toBe(0);
  },
);

test('a conversation that broke off is gone on with elsewhere, and the relay is not passed over for it', async () => {
  const { transports, send } = relays({}, {});
  const [first] = transports as [FakeTransport];
  Object.assign(first, { outcome: 'connection_failed', opened: true });
  expect(await send()).toBe('relay1 accepted');
  expect(await send()).toBe('relay1 accepted');
  expect(first.sent).toBe(2);
});

test('after the while, one mail finds out whether it is back; then it has all of them again', async () => {
  const { transports, send } = relays({}, {});
  const [first, second] = transports as [FakeTransport, FakeTransport];
  first.outcome = 'connection_failed';
  await send();
  now += 6000;
  first.outcome = 'accepted';
  first.holding = true;
  const probing = send();
  expect(await send()).toBe('relay1 accepted');
  expect(first.sent).toBe(2);
  first.holding = false;
  first.release();
  expect(await probing).toBe('relay0 accepted');
  expect(await send()).toBe('relay0 accepted');
  expect(second.sent).toBe(2);
});

test('the waits grow, to a bound', async () => {
  const { transports, send } = relays({}, {});
  const [first] = transports as [FakeTransport];
  first.outcome = 'connection_failed';
  await send();
  now += 6000;
  await send();
  now += 6000;
  await send();
  expect(first.sent).toBe(2);
  now += 300_000;
  await send();
  expect(first.sent).toBe(3);
});

test('without any that can be reached, each is tried: mails are put off with what it said', async () => {
  const { transports, send } = relays({}, {});
  for (const transport of transports) transport.outcome = 'connection_failed';
  expect(await send()).toBe('relay1 connection_failed');
  expect(await send()).toBe('relay1 connection_failed');
  expect(transports.map(({ sent }) => sent)).toEqual([2, 2]);
});

test('a relay has no more mails at once than it may: it is waited for, not passed over', async () => {
  const { list, transports, send } = relays({ connections: 2 }, {});
  const [first, second] = transports as [FakeTransport, FakeTransport];
  first.holding = true;
  const sending = [send(), send(), send()];
  await new Promise((resolve) => setImmediate(resolve));
  expect(list.room()).toBe(0);
  first.holding = false;
  first.release();
  expect(await Promise.all(sending)).toEqual(Array(3).fill('relay0 accepted'));
  expect([first.most, second.sent]).toEqual([2, 0]);
});

test('a rate lets so many begin in a second, and no more', async () => {
  const { list, send } = relays({ rate: 5 });
  now += 1000;
  expect(list.room()).toBe(5);
  for (let n = 0; n < 5; n++) await send();
  expect(list.room()).toBe(0);
  now += 400;
  expect(list.room()).toBe(2);
  now += 60_000;
  expect(list.room()).toBe(5);
});

test('what may be claimed counts a relay in doubt as one mail, and the next with its full share', async () => {
  const { list, transports, send } = relays({ connections: 4 }, { connections: 3 });
  expect(list.room()).toBe(4);
  (transports[0] as FakeTransport).outcome = 'connection_failed';
  await send();
  expect(list.room()).toBe(3);
  now += 6000;
  expect(list.room()).toBe(4);
});
