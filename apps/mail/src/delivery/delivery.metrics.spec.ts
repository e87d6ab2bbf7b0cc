import { register } from 'prom-client';
import { decideExpired, type Outcome, postponed } from './decide-outcome';
import { observeRecorded } from './delivery.metrics';
import { outgoing } from './outgoing-email.fixture';

const NOW = new Date('2026-01-02T03:04:05Z');

const outcome = (result: 'accepted' | 'deferred', event: 'taken' | 'put_off'): Outcome => ({
  ...decideExpired(outgoing()),
  attempt: { startedAt: NOW, durationMs: 250, relay: 'r', outcome: result, reply: '', enhancedCode: '', tlsVersion: '' },
  recipients: (['put_off', event] as const).map((of, position) => ({
    position,
    address: `r${position}@example.com`,
    event: of,
    lastReply: '',
    enhancedCode: '',
    reason: '',
  })),
});
const values = async (name: string, label = 'outcome') => {
  const metric = (await register.getMetricsAsJSON()).find((given) => given.name === name.replace(/_(sum|count)$/, ''));
  const found = (metric?.values ?? []).filter(({ metricName }: { metricName?: string }) => metricName === undefined || metricName === name);
  return Object.fromEntries(found.map(({ labels, value }) => [(labels as Record<string, string>)[label] ?? '', value]));
};

beforeEach(() => {
  jest.useFakeTimers({ now: NOW });
  register.resetMetrics();
});
afterEach(() => jest.useRealTimers());

test('an attempt is counted by what came of it, and timed', async () => {
  observeRecorded(outgoing(), outcome('accepted', 'taken'));
  observeRecorded(outgoing(), outcome('deferred', 'put_off'));
  expect(await values('mail_attempts_total')).toEqual({ accepted: 1, deferred: 1 });
  expect(await values('mail_handover_duration_seconds_sum')).toEqual({ accepted: 0.25, deferred: 0.25 });
});

test('what was no attempt counts as none', async () => {
  observeRecorded(outgoing(), decideExpired(outgoing()));
  observeRecorded(outgoing(), postponed(outgoing(), 1000));
  expect(await values('mail_attempts_total')).toEqual({});
});

test('the attempt of a worker that died is counted; nobody knows how long it took', async () => {
  observeRecorded(outgoing({ dataSent: { at: NOW, relay: 'r', positions: [0] } }), outcome('accepted', 'put_off'));
  expect(await values('mail_attempts_total')).toEqual({ accepted: 1 });
  expect(await values('mail_handover_duration_seconds_count')).toEqual({});
});

test.each([
  ['accepted three seconds ago', { createdAt: new Date(NOW.getTime() - 3000), sendAt: undefined }, 3],
  ['due a second ago by its send_at', { createdAt: new Date(NOW.getTime() - 3000), sendAt: new Date(NOW.getTime() - 1000) }, 1],
  ['accepted by a clock that is ahead', { createdAt: new Date(NOW.getTime() + 3000), sendAt: undefined }, 0],
])('a mail %s and taken for somebody', async (_what, times, seconds) => {
  observeRecorded(outgoing(times), outcome('accepted', 'taken'));
  expect(await values('mail_accept_to_sent_seconds_sum')).toEqual({ '': seconds });
  expect(await values('mail_accept_to_sent_seconds_count')).toEqual({ '': 1 });
});

test('one that was taken for nobody is not sent', async () => {
  observeRecorded(outgoing(), outcome('deferred', 'put_off'));
  expect(await values('mail_accept_to_sent_seconds_count')).toEqual({});
});
