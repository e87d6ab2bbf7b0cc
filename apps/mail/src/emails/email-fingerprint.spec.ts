import { NO_FILES } from './check-attachments';
import { checkEmail } from './check-email';
import { attachment, draft, limits, storedFile } from './email.fixture';
import { emailFingerprint } from './email-fingerprint';
import type { EmailDraft } from './new-email';

const DUE = '1767323045';
const whole = draft({
  cc: ['c@example.com'],
  bcc: ['d@example.com'],
  replyTo: ['r@example.com'],
  htmlBody: '<p>hi',
  headers: { 'X-A': '1', 'X-B': '2' },
  metadata: { a: '1', b: '2' },
  attachments: [attachment({ contentId: 'c' }), attachment()],
  sendAt: DUE,
  expiresAt: String(Number(DUE) + 1000),
  onUncertain: 'hold',
});

const fingerprint = (given: EmailDraft, now = new Date(Number(DUE) * 1000 - 1000), named = NO_FILES) =>
  emailFingerprint(checkEmail(given, ['ann@example.com', '*'], limits, now, named), given).toString('hex');

test('the same mail has the same, whenever it comes and in whichever order its maps are', () => {
  const again = {
    ...whole,
    headers: { 'X-B': '2', 'X-A': '1' },
    metadata: { b: '2', a: '1' },
    attachments: whole.attachments.map((file) => ({ ...file, content: new Uint8Array(file.content) })),
  };
  expect(fingerprint(again, new Date(Number(DUE) * 1000 - 60_000))).toBe(fingerprint(whole));
  expect(fingerprint(draft(), new Date(1e12))).toBe(fingerprint(draft(), new Date(2e12)));
});

test('what the server fills in counts as if it had been given', () => {
  expect(fingerprint(draft({ from: '' }))).toBe(fingerprint(draft({ from: 'ann@example.com' })));
  const typed = (contentType: string) => fingerprint(draft({ attachments: [attachment({ contentType })] }));
  expect(typed('')).toBe(typed('application/octet-stream'));
});

test('a file is its content: the same as bytes that came with the mail', () => {
  const file = storedFile(Buffer.from('bytes'), { filename: 'a.pdf', contentType: 'application/pdf' });
  const named = { complete: new Map([[file.id, file]]), unfinished: new Set<string>() };
  const byId = attachment({ filename: '', contentType: '', content: Buffer.alloc(0), fileId: file.id });
  const asFile = fingerprint(draft({ attachments: [byId] }), undefined, named);
  expect(asFile).toBe(fingerprint(draft({ attachments: [attachment()] })));
  expect(asFile).not.toBe(fingerprint(draft({ attachments: [attachment({ content: Buffer.from('Bytes') })] })));
});

test('it is what it was: mails accepted before are known again', () => {
  const before = '4b2c25b74aafd7eb4dcab4b9a0da09b7979cbd555002307e298bca85e3f12046';
  expect(fingerprint(whole)).toBe(before);
});

const changes: Partial<EmailDraft>[] = [
  { from: 'bob@example.com' },
  { to: ['c@example.com'] },
  { to: ['bob@example.com', 'x@example.com'] },
  { cc: [] },
  { cc: ['d@example.com'], bcc: ['c@example.com'] },
  { bcc: [] },
  { replyTo: [] },
  { subject: 'Hello' },
  { body: 'a text ' },
  { body: '<p>hi', htmlBody: 'a text' },
  { htmlBody: '' },
  { headers: { 'X-A': '1' } },
  { headers: { 'X-A': '2', 'X-B': '1' } },
  { headers: whole.metadata, metadata: {} },
  { metadata: {} },
  { metadata: { a: '1', b: '2', c: '' } },
  { attachments: [] },
  { attachments: [attachment(), attachment({ contentId: 'c' })] },
  { attachments: [attachment({ contentId: 'c', filename: 'b.pdf' }), attachment()] },
  { attachments: [attachment({ contentId: 'c', contentType: 'text/plain' }), attachment()] },
  { attachments: [attachment({ contentId: 'd' }), attachment()] },
  { attachments: [attachment({ contentId: 'c', content: Buffer.from('Bytes') }), attachment()] },
  { sendAt: String(Number(DUE) + 1) },
  { sendAt: '0' },
  { expiresAt: String(Number(DUE) + 1001) },
  { expiresAt: '0' },
  { onUncertain: 'resend' },
  { onUncertain: '' },
];

test('every field that makes another mail of it makes another fingerprint', () => {
  const all = [whole, ...changes.map((change) => ({ ...whole, ...change }))].map((given) => fingerprint(given));
  const twice = all.flatMap((each, index) => (all.indexOf(each) === index ? [] : [changes[index - 1]]));
  expect(twice).toEqual([]);
  const changed = new Set(changes.flatMap((change) => Object.keys(change)));
  expect(Object.keys(whole).filter((field) => !changed.has(field))).toEqual([]);
});

test('it is 32 bytes', () => {
  expect(fingerprint(whole)).toMatch(/^[0-9a-f]{64}$/);
});
