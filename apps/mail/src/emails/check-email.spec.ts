import { NO_FILES } from './check-attachments';
import { checkEmail, checkIdempotencyKey } from './check-email';
import { attachment, draft, limits, refusalOf } from './email.fixture';
import type { EmailDraft } from './new-email';

const NOW = new Date('2026-01-02T03:04:05.500Z');
const inSeconds = (seconds: number) => String(Math.floor(NOW.getTime() / 1000) + seconds);
const SENDERS = ['ann@example.com', '*@example.com'];
const DAY = 86_400;

const check = (over: Partial<EmailDraft> = {}, senders: readonly string[] = SENDERS) =>
  checkEmail(draft(over), senders, limits, NOW, NO_FILES);

const refusal = (over: Partial<EmailDraft>, senders?: readonly string[]) => refusalOf(() => check(over, senders));
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
  expect(checkEmail(given, SENDERS, limits, NOW, NO_FILES)).toEqual({
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
