import { RuleError } from '@sky-genesis/grpc/rule-error';
import { checkEmail, checkIdempotencyKey } from './check-email';
import { attachment, draft, limits } from './email.fixture';
import { EmailLimits } from './email-limits';
import type { EmailDraft } from './new-email';

const NOW = new Date('2026-01-02T03:04:05.500Z');
const inSeconds = (seconds: number) => String(Math.floor(NOW.getTime() / 1000) + seconds);
const SENDERS = ['ann@example.com', '*@example.com'];
const DAY = 86_400;

const check = (over: Partial<EmailDraft> = {}, senders: readonly string[] = SENDERS, given: EmailLimits = limits) =>
  checkEmail(draft(over), senders, given, NOW);

const refusal = (over: Partial<EmailDraft>, senders?: readonly string[], given?: EmailLimits): RuleError => {
  try {
    check(over, senders, given);
  } catch (error) {
    return error as RuleError;
  }
  throw new Error('was taken');
};
const fields = (...args: Parameters<typeof refusal>) => refusal(...args).details.violations?.map(({ field }) => field);

test('a mail that every rule accepts, as it will be stored', () => {
  const given = draft({
    to: ['Bob <bob@example.com>'],
    cc: ['carl@example.com'],
    bcc: ['dora@bücher.example'],
    replyTo: ['Ann <reply@example.com>'],
    htmlBody: '<p>hi',
    headers: { 'X-A': 'b' },
    metadata: { order: '1' },
    attachments: [attachment({ contentId: 'c' }), attachment({ contentType: '' })],
    onUncertain: 'hold',
  });
  expect(checkEmail(given, SENDERS, limits, NOW)).toEqual({
    from: 'Ann <ann@example.com>',
    fromAddress: 'ann@example.com',
    to: ['Bob <bob@example.com>'],
    cc: ['carl@example.com'],
    bcc: ['dora@bücher.example'],
    replyTo: ['Ann <reply@example.com>'],
    subject: 'hello',
    body: 'a text',
    htmlBody: '<p>hi',
    headers: { 'X-A': 'b' },
    metadata: { order: '1' },
    attachments: [
      { filename: 'a.pdf', contentType: 'application/pdf', contentId: 'c', content: Buffer.from('bytes') },
      { filename: 'a.pdf', contentType: 'application/octet-stream', contentId: '', content: Buffer.from('bytes') },
    ],
    recipients: [
      { address: 'bob@example.com', kind: 'to' },
      { address: 'carl@example.com', kind: 'cc' },
      { address: 'dora@xn--bcher-kva.example', kind: 'bcc' },
    ],
    sendAt: undefined,
    expiresAt: new Date(NOW.getTime() + 259_200_000),
    onUncertain: 'hold',
  });
});

test('every fault is told at once, each by its field', () => {
  const { reason, code, details } = refusal({
    from: 'nobody',
    to: ['bob@example.com', 'nobody', 'a\r\n@b.de'],
    cc: ['x'],
    bcc: ['y', 'ok@example.com', ''],
    replyTo: ['z'],
    subject: 'a\r\nBcc: b',
    body: 'a\0b',
    htmlBody: 'a\ud800',
    headers: { Bcc: 'x', 'X-A': 'a\nb' },
    metadata: { '-': 'x' },
    attachments: [attachment(), attachment({ filename: '', contentType: 'x' })],
    sendAt: '-1',
    expiresAt: '1.5',
    onUncertain: 'guess',
  });
  expect([reason, code]).toEqual(['INVALID_ARGUMENT', 'INVALID_ARGUMENT']);
  expect(details.violations?.map(({ field }) => field)).toEqual([
    'email.from',
    'email.to[1]',
    'email.to[2]',
    'options.cc[0]',
    'options.bcc[0]',
    'options.bcc[2]',
    'options.reply_to[0]',
    'email.subject',
    'email.body',
    'options.html_body',
    'options.headers[Bcc]',
    'options.headers[X-A]',
    'options.metadata[-]',
    'email.attachments[1].filename',
    'email.attachments[1].content_type',
    'options.send_at',
    'options.expires_at',
    'options.on_uncertain',
  ]);
});

test("the issue's own example: from without a domain, and nobody to send to", () => {
  expect(fields({ from: 'test', to: [] })).toEqual(['email.from', 'email.to']);
});

describe('limits', () => {
  const addresses = (count: number) => Array.from({ length: count }, (_, i) => `a${i}@example.com`);

  test.each<[string, Partial<EmailDraft>, Partial<EmailDraft>, string]>([
    ['subject', { subject: 'x'.repeat(997) }, { subject: 'x'.repeat(998) }, 'email.subject'],
    ['recipients', { to: addresses(1000) }, { to: addresses(1001) }, 'email.to'],
    [
      'recipients of all kinds',
      { to: addresses(400), cc: addresses(300), bcc: addresses(300) },
      { to: addresses(400), cc: addresses(301), bcc: addresses(300) },
      'email.to',
    ],
    ['reply_to', { replyTo: addresses(20) }, { replyTo: addresses(21) }, 'options.reply_to'],
    ['attachments', { attachments: Array(100).fill(attachment()) }, { attachments: Array(101).fill(attachment()) }, 'email.attachments'],
    ['body', { body: 'x'.repeat(2_097_152) }, { body: 'x'.repeat(2_097_153) }, 'email.body'],
    ['body, in bytes', { body: 'ü'.repeat(1_048_576) }, { body: 'ü'.repeat(1_048_577) }, 'email.body'],
    [
      'body and HTML together',
      { body: 'x'.repeat(1_000_000), htmlBody: 'x'.repeat(1_097_152) },
      { body: 'x'.repeat(1_000_000), htmlBody: 'x'.repeat(1_097_153) },
      'options.html_body',
    ],
    ['send_at', { sendAt: inSeconds(366 * DAY) }, { sendAt: inSeconds(366 * DAY + 1) }, 'options.send_at'],
    ['expires_at', { expiresAt: inSeconds(30 * DAY) }, { expiresAt: inSeconds(30 * DAY + 1) }, 'options.expires_at'],
    ['expires_at', { expiresAt: inSeconds(1) }, { expiresAt: inSeconds(0) }, 'options.expires_at'],
    [
      'expires_at after send_at',
      { sendAt: inSeconds(100), expiresAt: inSeconds(101) },
      { sendAt: inSeconds(100), expiresAt: inSeconds(100) },
      'options.expires_at',
    ],
    [
      'expires_at, counted from send_at',
      { sendAt: inSeconds(DAY), expiresAt: inSeconds(31 * DAY) },
      { sendAt: inSeconds(DAY), expiresAt: inSeconds(31 * DAY + 1) },
      'options.expires_at',
    ],
    ['on_uncertain', { onUncertain: 'resend' }, { onUncertain: '3' }, 'options.on_uncertain'],
  ])('%s: taken at the bound, refused above it', (_, within, above, field) => {
    expect(() => check(within)).not.toThrow();
    expect(fields(above)).toEqual([field]);
  });

  test('10,000 recipients are one fault, not 10,000', () => {
    expect(refusal({ to: Array(10_000).fill('nonsense') }).details.violations).toEqual([
      { field: 'email.to', description: 'must have at most 1000 addresses, cc and bcc counted in' },
    ]);
  });

  test('each is a setting', () => {
    const small = new EmailLimits(2, 10, 1, 1, 20, 60);
    expect(check({}, SENDERS, small).expiresAt).toEqual(new Date(NOW.getTime() + 60_000));
    const over = {
      to: addresses(3),
      body: 'x'.repeat(11),
      attachments: [attachment(), attachment()],
      headers: { A: '', B: '' },
      metadata: { a: 'x'.repeat(20) },
    };
    expect(fields(over, SENDERS, small)).toEqual(['email.to', 'email.body', 'options.headers', 'options.metadata', 'email.attachments']);
  });
});

describe('the sender', () => {
  test('is the first address that the token names, where the mail has none', () => {
    expect(check({ from: '' }, ['*@example.com', 'b@example.com', 'a@example.com'])).toMatchObject({
      from: 'b@example.com',
      fromAddress: 'b@example.com',
    });
    expect(check({ from: '' }, ['Bob <b@example.com>', 'b@example.com'])).toMatchObject({
      from: 'Bob <b@example.com>',
      fromAddress: 'b@example.com',
    });
  });

  test.each([[[]], [['*']], [['*@example.com']]])('is required where the token names none: %j', (senders) => {
    expect(fields({ from: '' }, senders)).toEqual(['email.from']);
  });

  test.each([
    ['Ann <ANN@Example.com>', ['ann@example.com']],
    ['x@example.com', ['*@example.com']],
    ['x@anything.example', ['*']],
  ])('%s is allowed by %j', (from, senders) => {
    expect(() => check({ from }, senders)).not.toThrow();
  });

  test.each([
    ['ann@example.com', []],
    ['ann@example.com', ['bob@example.com']],
    ['ann@sub.example.com', ['*@example.com']],
    // The name may look like an address that is allowed: the address counts.
    ['"ann@example.com" <evil@example.org>', ['ann@example.com', '*@example.com']],
  ])('%s is not allowed by %j', (from, senders) => {
    expect(refusal({ from }, senders)).toMatchObject({
      reason: 'SENDER_NOT_ALLOWED',
      code: 'PERMISSION_DENIED',
      details: { violations: [{ field: 'email.from' }] },
    });
  });

  test('faults of the fields are told before what the token allows', () => {
    expect(refusal({ from: 'x@example.org', subject: 'a\nb' }).reason).toBe('INVALID_ARGUMENT');
  });
});

test('an address is delivered to once, under the heading that came first', () => {
  const { recipients, to, cc } = check({
    to: ['Bob <bob@example.com>', 'bob@EXAMPLE.com', 'Bob@example.com'],
    cc: ['bob@example.com', 'carl@bücher.example'],
    bcc: ['carl@xn--bcher-kva.example', 'dora@example.com'],
  });
  expect(recipients).toEqual([
    { address: 'bob@example.com', kind: 'to' },
    { address: 'Bob@example.com', kind: 'to' },
    { address: 'carl@xn--bcher-kva.example', kind: 'cc' },
    { address: 'dora@example.com', kind: 'bcc' },
  ]);
  // What is shown stays as it was written.
  expect([to, cc]).toEqual([
    ['Bob <bob@example.com>', 'bob@EXAMPLE.com', 'Bob@example.com'],
    ['bob@example.com', 'carl@bücher.example'],
  ]);
});

describe('times', () => {
  test('send_at in the past means now; the default expiry counts from when the mail is due', () => {
    expect(check({ sendAt: '1' })).toMatchObject({ sendAt: new Date(1000), expiresAt: new Date(NOW.getTime() + 259_200_000) });
    const due = new Date(Number(inSeconds(DAY)) * 1000);
    expect(check({ sendAt: inSeconds(DAY) })).toMatchObject({ sendAt: due, expiresAt: new Date(due.getTime() + 259_200_000) });
  });

  test('the largest int64 is refused by its field, not by a crash', () => {
    expect(fields({ sendAt: '9223372036854775807' })).toEqual(['options.send_at']);
    expect(fields({ expiresAt: '-9223372036854775808' })).toEqual(['options.expires_at']);
    expect(fields({ sendAt: '9007199254740991', expiresAt: '9007199254740991' })).toEqual(['options.send_at']);
  });
});

test('an idempotency key: up to 255 printable ASCII characters', () => {
  for (const key of ['', 'k', ' ~', 'x'.repeat(255)]) expect(() => checkIdempotencyKey(key)).not.toThrow();
  for (const key of ['x'.repeat(256), 'ü', 'a\r\nb', 'a\0', '\t', '\u007f']) {
    expect(() => checkIdempotencyKey(key)).toThrow(
      expect.objectContaining({
        reason: 'INVALID_ARGUMENT',
        details: { violations: [expect.objectContaining({ field: 'idempotency_key' })] },
      }),
    );
  }
});
