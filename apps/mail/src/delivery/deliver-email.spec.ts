import { deliverEmail } from './deliver-email';
import type { Handover } from './handover';
import { outgoing } from './outgoing-email.fixture';
import { RetrySchedule } from './retry-schedule';

const policy = { retry: new RetrySchedule(15_000, 3_600_000), onUncertain: 'resend' as const };
const reply = { code: 250, text: '250 ok', enhancedCode: '' };
const accepted: Handover = {
  outcome: 'accepted',
  relay: 'relay:25',
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
  expect(await deliverEmail(email, handOver, policy)).toMatchObject({
    attempt: { startedAt, durationMs: 700, outcome: 'accepted' },
    recipients: [{ status: 'sent' }],
    retryInMs: undefined,
  });
  expect(handOver).toHaveBeenCalledWith(email);
});

test('a mail whose time is over is not handed over any more', async () => {
  const handOver = jest.fn(() => Promise.resolve(accepted));
  expect(await deliverEmail(outgoing({ expiresAt: new Date() }), handOver, policy)).toMatchObject({
    attempt: undefined,
    recipients: [{ status: 'expired', reason: 'EXPIRED' }],
    retryInMs: undefined,
  });
  expect(handOver).not.toHaveBeenCalled();
});

test('an error not foreseen is the caller’s to log: nothing is recorded of it', async () => {
  await expect(deliverEmail(outgoing(), () => Promise.reject(new Error('a defect')), policy)).rejects.toThrow('a defect');
});
