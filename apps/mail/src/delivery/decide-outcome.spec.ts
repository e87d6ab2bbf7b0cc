import { decideDoubt, decideExpired, decideOutcome } from './decide-outcome';
import type { Handover, RecipientHandover, RelayReply } from './handover';
import type { OutgoingEmail } from './outgoing-email';
import { outgoing } from './outgoing-email.fixture';
import { RetrySchedule } from './retry-schedule';

const STARTED = new Date('2026-01-02T03:05:00.000Z');
const NOW = new Date('2026-01-02T03:05:01.250Z');
const policy = { retry: new RetrySchedule(15_000, 3_600_000, () => 1), onUncertain: 'resend' as const };

const reply = (code: number, enhancedCode = ''): RelayReply => ({ code, enhancedCode, text: `${code} said` });
const told = (result: RecipientHandover['result'], said?: RelayReply, reason = ''): RecipientHandover => ({ result, reply: said, reason });

const decide = (recipients: RecipientHandover[], over: Partial<OutgoingEmail> = {}, given: Partial<typeof policy> = {}) => {
  const email = outgoing({
    recipients: recipients.map((_, i) => ({ position: i * 2, address: `r${i}@example.com`, kind: 'to', attempts: 0, status: 'queued' })),
    ...over,
  });
  const handover: Handover = {
    outcome: 'accepted',
    relay: 'relay:25',
    conversationMs: 1,
    reply: reply(250, '2.0.0'),
    tlsVersion: 'TLSv1.3',
    recipients,
  };
  return decideOutcome(email, handover, STARTED, NOW, { ...policy, ...given });
};

test.each<[RecipientHandover, object]>([
  [told('accepted', reply(250, '2.0.0')), { event: 'taken', lastReply: '250 said', enhancedCode: '2.0.0', reason: '' }],
  [told('refused', reply(550, '5.1.1')), { event: 'refused', lastReply: '550 said', enhancedCode: '5.1.1', reason: 'RELAY_REFUSED' }],
  [told('deferred', reply(451)), { event: 'put_off', lastReply: '451 said', enhancedCode: '', reason: 'RELAY_DEFERRED' }],
  [
    told('deferred', undefined, 'CONTENT_UNAVAILABLE'),
    { event: 'put_off', lastReply: '', enhancedCode: '', reason: 'CONTENT_UNAVAILABLE' },
  ],
  [told('unreached', reply(421)), { event: 'put_off', lastReply: '421 said', enhancedCode: '', reason: 'RELAY_UNREACHABLE' }],
  [told('unreached'), { event: 'put_off', lastReply: '', enhancedCode: '', reason: 'RELAY_UNREACHABLE' }],
  [
    told('unsupported', undefined, 'SMTPUTF8_UNSUPPORTED'),
    { event: 'unsupported', lastReply: '', enhancedCode: '', reason: 'SMTPUTF8_UNSUPPORTED' },
  ],
  [told('uncertain', reply(0)), { event: 'doubted', lastReply: '0 said', enhancedCode: '', reason: 'NO_REPLY_AFTER_DATA' }],
])('%j', (handover, outcome) => {
  expect(decide([handover]).recipients).toEqual([{ position: 0, address: 'r0@example.com', ...outcome }]);
});

test('each recipient has its own outcome; the attempt is recorded as it was', () => {
  expect(decide([told('accepted', reply(250)), told('refused', reply(550)), told('deferred', reply(451))])).toEqual({
    tenant: 'acme',
    emailId: '0190a0b0-0000-7000-8000-000000000001',
    attemptNo: 1,
    attempt: {
      startedAt: STARTED,
      durationMs: 1250,
      relay: 'relay:25',
      outcome: 'accepted',
      reply: '250 said',
      enhancedCode: '2.0.0',
      tlsVersion: 'TLSv1.3',
    },
    recipients: [
      expect.objectContaining({ position: 0, address: 'r0@example.com', event: 'taken' }),
      expect.objectContaining({ position: 2, address: 'r1@example.com', event: 'refused' }),
      expect.objectContaining({ position: 4, address: 'r2@example.com', event: 'put_off' }),
    ],
    retryInMs: 15_000,
  });
});

test('a recipient that a handover does not tell of was not reached', () => {
  const email = outgoing();
  const handover: Handover = { outcome: 'accepted', relay: 'r', conversationMs: 1, reply: undefined, tlsVersion: '', recipients: [] };
  expect(decideOutcome(email, handover, STARTED, NOW, policy).recipients).toMatchObject([
    { event: 'put_off', reason: 'RELAY_UNREACHABLE' },
  ]);
});

describe('the next attempt', () => {
  test('there is none when every recipient has reached its end', () => {
    expect(
      decide([told('accepted', reply(250)), told('refused', reply(550)), told('unsupported', undefined, 'X')]).retryInMs,
    ).toBeUndefined();
  });

  test('it comes later with each attempt', () => {
    const deferred = [told('deferred', reply(451))];
    const recipients = (attempts: number): OutgoingEmail['recipients'] => [
      { position: 0, address: 'r0@example.com', kind: 'to', attempts, status: 'deferred' },
    ];
    expect([0, 1, 2].map((attempts) => decide(deferred, { recipients: recipients(attempts) }).retryInMs)).toEqual([
      15_000, 45_000, 135_000,
    ]);
  });

  test('one that would come too late comes at the end of the time', () => {
    const deferred = [told('deferred', reply(451))];
    expect(decide(deferred, { expiresAt: new Date(NOW.getTime() + 5000) }).retryInMs).toBe(5000);
    expect(decide(deferred, { expiresAt: new Date(NOW.getTime() - 5000) }).retryInMs).toBe(0);
  });
});

describe('where the relay may have taken it', () => {
  const uncertain = [told('uncertain')];

  test.each([
    [undefined, 'resend', 15_000],
    [undefined, 'hold', undefined],
    ['hold', 'resend', undefined],
    ['resend', 'hold', 15_000],
  ] as const)("the mail says %s, the server's default is %s: tried again in %s", (onUncertain, byDefault, retryInMs) => {
    const outcome = decide(uncertain, { onUncertain }, { onUncertain: byDefault as 'resend' });
    expect(outcome.recipients).toMatchObject([{ event: 'doubted', reason: 'NO_REPLY_AFTER_DATA' }]);
    expect(outcome.retryInMs).toBe(retryInMs);
  });

  test('those that were refused before it stay refused', () => {
    const outcome = decide([told('refused', reply(550)), told('uncertain')], { onUncertain: 'hold' });
    expect(outcome.recipients.map(({ event }) => event)).toEqual(['refused', 'doubted']);
  });
});

test('what was not reached in time is expired, without an attempt', () => {
  const email = outgoing({
    attemptNo: 7,
    recipients: [1, 4].map((position) => ({ position, address: `r${position}@example.com`, kind: 'to', attempts: 3, status: 'deferred' })),
  });
  expect(decideExpired(email)).toEqual({
    tenant: 'acme',
    emailId: email.id,
    attemptNo: 7,
    attempt: undefined,
    recipients: [1, 4].map((position) => ({
      position,
      address: `r${position}@example.com`,
      event: 'expired',
      lastReply: '',
      enhancedCode: '',
      reason: 'EXPIRED',
    })),
    retryInMs: undefined,
  });
});

describe('a worker that died when the dot may have left', () => {
  const at = new Date('2026-01-02T03:04:30.000Z');
  const recipients = [0, 1].map((position) => ({
    position,
    address: `r${position}@example.com`,
    kind: 'to' as const,
    attempts: 0,
    status: 'queued' as const,
  }));
  const email = (onUncertain: 'hold' | 'resend', positions: number[]) =>
    outgoing({ recipients, onUncertain, dataSent: { at, relay: 'relay:25', positions } });

  test('is told as a doubt, for those that the dot was for; the others are tried again', () => {
    expect(decideDoubt(email('hold', [1]), NOW, policy)).toMatchObject({
      attempt: { startedAt: at, relay: 'relay:25', outcome: 'uncertain', reply: '' },
      recipients: [
        { position: 0, event: 'put_off', reason: 'NO_OUTCOME_RECORDED' },
        { position: 1, event: 'doubted', reason: 'NO_OUTCOME_RECORDED' },
      ],
      retryInMs: 15_000,
    });
  });

  test.each([
    ['hold', undefined],
    ['resend', 15_000],
  ] as const)('%s: tried again in %s', (onUncertain, retryInMs) => {
    expect(decideDoubt(email(onUncertain, [0, 1]), NOW, policy).retryInMs).toBe(retryInMs);
  });
});
