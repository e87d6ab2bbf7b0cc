import { NO_FILES } from './check-attachments';
import { checkEmail } from './check-email';
import { attachment, draft, limits, refusalOf } from './email.fixture';
import { EmailLimits } from './email-limits';
import type { EmailDraft } from './new-email';

const NOW = new Date('2026-01-02T03:04:05.500Z');
const DAY = 86_400;
const inSeconds = (seconds: number) => String(Math.floor(NOW.getTime() / 1000) + seconds);

const check = (over: Partial<EmailDraft>, given: EmailLimits = limits) =>
  checkEmail(draft(over), ['ann@example.com'], given, NOW, NO_FILES);
const violations = (over: Partial<EmailDraft>, given?: EmailLimits) => refusalOf(() => check(over, given)).details.violations;
const fields = (...args: Parameters<typeof violations>) => violations(...args)?.map(({ field }) => field);

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
  [
    'bytes of all attachments',
    { attachments: Array(50).fill(attachment({ content: Buffer.alloc(1_048_576) })) },
    { attachments: [...Array(50).fill(attachment({ content: Buffer.alloc(1_048_576) })), attachment({ content: Buffer.alloc(1) })] },
    'email.attachments',
  ],
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
  expect(violations({ to: Array(10_000).fill('nonsense') })).toEqual([
    { field: 'email.to', description: 'must have at most 1000 addresses, cc and bcc counted in' },
  ]);
});

test('each is a setting', () => {
  const small = new EmailLimits(2, 10, 1, 1000, 1, 20, 60);
  expect(check({}, small).expiresAt).toEqual(new Date(NOW.getTime() + 60_000));
  const over = {
    to: addresses(3),
    body: 'x'.repeat(11),
    attachments: [attachment(), attachment()],
    headers: { A: '', B: '' },
    metadata: { a: 'x'.repeat(20) },
  };
  expect(fields(over, small)).toEqual(['email.to', 'email.body', 'options.headers', 'options.metadata', 'email.attachments']);
});
