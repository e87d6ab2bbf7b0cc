import { emailDocument, type EmailState, versionOf } from './email-document';

const BOUNDS = { contentBytes: 1024 * 1024, attributesBytes: 128 * 1024 };
const mail = (over: Partial<EmailState> = {}): EmailState => ({
  tenant: 'acme',
  id: '018f0000-0000-7000-8000-000000000001',
  lastEvent: 7,
  createdAt: 1_764_000_000,
  from: 'Ann <ann@example.com>',
  to: ['bob@example.com'],
  cc: [],
  bcc: [],
  subject: 'Hello',
  body: 'a text',
  htmlBody: '',
  metadata: {},
  statuses: ['sent'],
  filenames: [],
  size: 6,
  ...over,
});
const attributes = async (over: Partial<EmailState>) => (await emailDocument(mail(over), BOUNDS)).attributes;
const bytesOf = (found: Record<string, string[]>) =>
  Object.entries(found).reduce(
    (sum, [name, values]) => values.reduce((all, value) => all + Buffer.byteLength(value), sum + name.length),
    0,
  );

test('a mail is told field by field', async () => {
  expect(await emailDocument(mail({ metadata: { order: '17' }, filenames: ['a.pdf', 'b.pdf'] }), BOUNDS)).toEqual({
    id: 'msg_018f0000-0000-7000-8000-000000000001',
    title: 'Hello',
    content: 'a text',
    url: '/api/v1/mail/msg_018f0000-0000-7000-8000-000000000001',
    attributes: {
      status: ['sent'],
      has_attachment: ['true'],
      size: ['6'],
      from: ['Ann <ann@example.com>'],
      to: ['bob@example.com'],
      filename: ['a.pdf', 'b.pdf'],
      'metadata.order': ['17'],
    },
    timestamp: 1_764_000_000,
  });
});

test('the status is the first that a recipient has, in the order of the contract', async () => {
  expect((await attributes({ statuses: ['delivered', 'bounced', 'deferred'] })).status).toEqual(['deferred']);
  expect((await attributes({ statuses: [] })).status).toEqual(['queued']);
});

test('without a body the text of the HTML is the content', async () => {
  const { content } = await emailDocument(mail({ body: ' \n', htmlBody: '<p>Hello <b>you</b></p>' }), BOUNDS);
  expect(content).toBe('Hello you');
});

test.each([
  ['ASCII', 'x', 1],
  ['two bytes', 'ä', 2],
  ['three bytes', '語', 3],
  ['four bytes', '😀', 4],
])('content is cut between two characters: %s', async (_what, character, bytes) => {
  for (const before of ['', 'x', 'xx', 'xxx']) {
    const { content } = await emailDocument(mail({ body: before + character.repeat(400) }), { ...BOUNDS, contentBytes: 1001 });
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(1001);
    expect(content).toBe(before + character.repeat(Math.min(400, Math.floor((1001 - before.length) / bytes))));
  }
});

test('names of metadata become names of attributes; what does not fit is left out', async () => {
  const found = await attributes({
    metadata: { 'a b/ä': '1', 'a_b_.': '2', 'a b .': '3', ['x'.repeat(119)]: 'long', ['y'.repeat(120)]: 'too long', big: 'ä'.repeat(513) },
  });
  expect(Object.keys(found).filter((name) => name.startsWith('metadata'))).toEqual([
    'metadata.a_b__',
    'metadata.a_b_.',
    `metadata.${'x'.repeat(119)}`,
  ]);
  expect(found['metadata.a_b_.']).toEqual(['2', '3']);
});

test('names that objects have by themselves are names like others', async () => {
  const found = await attributes({ metadata: JSON.parse('{"__proto__": "a", "constructor": "b"}') as Record<string, string> });
  expect(Object.keys(found)).toEqual(expect.arrayContaining(['metadata.__proto__', 'metadata.constructor']));
});

test('all attributes stay within the bounds of a document, what matters most first', async () => {
  const mailbox = (i: number) => `"${'n'.repeat(400)}" <r${i}@example.com>`;
  const found = await attributes({
    to: Array.from({ length: 1500 }, (_, i) => `r${i}@example.com`),
    cc: Array.from({ length: 1000 }, (_, i) => mailbox(i)),
    metadata: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, 'v'])),
  });
  expect(found.to).toHaveLength(1000);
  expect(found.status).toEqual(['sent']);
  expect(Object.keys(found).length).toBeLessThanOrEqual(64);
  expect(bytesOf(found)).toBeLessThanOrEqual(BOUNDS.attributesBytes);
  expect(bytesOf(found)).toBeGreaterThan(BOUNDS.attributesBytes - 1000);
  const names = Object.keys(await attributes({ metadata: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, 'v'])) }));
  expect(names).toHaveLength(64);
});

test('of a mailbox that is too long the address stays', async () => {
  expect((await attributes({ from: `"${'語'.repeat(400)}" <ann@example.com>` })).from).toEqual(['ann@example.com']);
});

test('a title is one line', async () => {
  expect((await emailDocument(mail({ subject: 'a\nb\0c' }), BOUNDS)).title).toBe('a b c');
});

test('a later state has the higher version; a rebuild comes between two states', () => {
  expect([versionOf(7, 0), versionOf(7, 1), versionOf(8, 0), versionOf(8, 1001)]).toEqual([7000, 7001, 8000, 8001]);
});
