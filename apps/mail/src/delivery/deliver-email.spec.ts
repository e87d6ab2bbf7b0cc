import { deliverEmail } from './deliver-email';
import type { Handover } from './handover';
import type { OutgoingEmail } from './outgoing-email';
import { outgoing } from './outgoing-email.fixture';
import { RetrySchedule } from './retry-schedule';

const policy = { retry: new RetrySchedule(15_000, 3_600_000), onUncertain: 'resend' as const };
const reply = { code: 250, text: '250 ok', enhancedCode: '' };
const accepted: Handover = {
  outcome: 'accepted',
  relay: 'relay:25',
  conversationMs: 1,
  reply,
  tlsVersion: '',
  recipients: [{ result: 'accepted', reply, reason: '' }],
};

beforeEach(() => jest.useFakeTimers({ now: new Date('2026-01-02T03:04:05Z') }));
afterEach(() => jest.useRealTimers());

test('a mail within its time is handed over, and what came of it is told with how long it took', async () => {
  const startedAt = new Date();
  const handOver = jest.fn(() => {
    jest.advanceTimersByTime(700);
    return Promise.resolve(accepted);
  });
  const email = outgoing({ expiresAt: new Date(Date.now() + 1) });
  expect(await deliverEmail(email, 0, handOver, policy)).toMatchObject({
    attempt: { startedAt, durationMs: 700, outcome: 'accepted' },
    recipients: [{ event: 'taken' }],
    retryInMs: undefined,
  });
  expect(handOver).toHaveBeenCalledWith(email);
});

test('a mail whose time is over is not handed over any more', async () => {
  const handOver = jest.fn(() => Promise.resolve(accepted));
  expect(await deliverEmail(outgoing({ expiresAt: new Date() }), 0, handOver, policy)).toMatchObject({
    attempt: undefined,
    recipients: [{ event: 'expired', reason: 'EXPIRED' }],
    retryInMs: undefined,
  });
  expect(handOver).not.toHaveBeenCalled();
});

test('an error not foreseen is the caller’s to log: nothing is recorded of it', async () => {
  await expect(deliverEmail(outgoing(), 0, () => Promise.reject(new Error('a defect')), policy)).rejects.toThrow('a defect');
});

test('a mail whose last worker may have sent it is a doubt to tell, not a mail to send', async () => {
  const handOver = jest.fn(() => Promise.resolve(accepted));
  const email = outgoing({ dataSent: { at: new Date(), relay: 'relay:25', positions: [0] } });
  expect(await deliverEmail(email, 0, handOver, policy)).toMatchObject({ recipients: [{ event: 'doubted' }] });
  expect(handOver).not.toHaveBeenCalled();
});

describe('a mail with one recipient in doubt and one deferred', () => {
  const recipients = (['uncertain', 'deferred'] as const).map((status, position) => {
    return { position, address: `${status}@example.com`, kind: 'to' as const, attempts: 1, status };
  });

  test.each([
    ['hold', ['deferred@example.com']],
    ['resend', ['uncertain@example.com', 'deferred@example.com']],
  ] as const)('%s: %j get it again', async (onUncertain, expected) => {
    const handOver = jest.fn((_: OutgoingEmail) => Promise.resolve(accepted));
    await deliverEmail(outgoing({ recipients, onUncertain }), 0, handOver, policy);
    expect(handOver.mock.calls[0]?.[0].recipients.map(({ address }) => address)).toEqual(expected);
  });
});

test('a mail of which all that is left is held ends, and nothing happens to its recipients', async () => {
  const handOver = jest.fn(() => Promise.resolve(accepted));
  const held = { position: 0, address: 'bob@example.com', kind: 'to' as const, attempts: 1, status: 'uncertain' as const };
  const outcome = await deliverEmail(outgoing({ recipients: [held], onUncertain: 'hold' }), 0, handOver, policy);
  expect(outcome).toMatchObject({ recipients: [], retryInMs: undefined });
  expect(handOver).not.toHaveBeenCalled();
});

test('a mail that there is no place for goes back into the queue; nothing happens to it', async () => {
  const handOver = jest.fn(() => Promise.resolve(accepted));
  expect(await deliverEmail(outgoing(), 700, handOver, policy)).toMatchObject({ attempt: undefined, recipients: [], retryInMs: 700 });
  expect(handOver).not.toHaveBeenCalled();
});

test.each([
  ['a doubt', { dataSent: { at: new Date(), relay: 'relay:25', positions: [0] } }, 'doubted'],
  ['an end', { expiresAt: new Date(0) }, 'expired'],
] as const)('%s needs no place to be told', async (_, over, event) => {
  const handOver = jest.fn(() => Promise.resolve(accepted));
  expect(await deliverEmail(outgoing(over), 700, handOver, policy)).toMatchObject({ recipients: [{ event }] });
});
