import { type ParsedMail, simpleParser } from 'mailparser';
import { messageIdOf, toMime } from './mime.mapper';
import { bytesOf, noFiles } from './outgoing-message.fixture';
import type { OutgoingAttachment, OutgoingEmail } from './outgoing-email';
import { outgoing } from './outgoing-email.fixture';

const CREATED = new Date('2026-01-02T03:04:05Z');

const file = (over: Partial<OutgoingAttachment> = {}): OutgoingAttachment => ({
  filename: 'a.bin',
  contentType: 'application/octet-stream',
  contentId: '',
  content: Buffer.from([0, 1, 2, 255]),
  ...over,
});

interface Made {
  raw: string;
  header: string;
  mail: ParsedMail;
}

/** Every message made here must be one that a relay and a reader can take: line ends and lengths, ASCII, no Bcc. */
async function make(over: Partial<OutgoingEmail> = {}, attachments: OutgoingAttachment[] = []): Promise<Made> {
  const message = await toMime(outgoing(over), attachments, noFiles);
  const bytes = await bytesOf(message);
  expect(message.size).toBe(bytes.length);
  expect(message.header.equals(bytes.subarray(0, bytes.indexOf('\r\n\r\n')))).toBe(true);
  const raw = bytes.toString('latin1');
  expect(raw).not.toMatch(/[^\r]\n|\r(?!\n)|\0/);
  expect(Math.max(...raw.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
  const header = raw.slice(0, raw.indexOf('\r\n\r\n'));
  // A blank line may be taken for the end of a header, of the mail's or of a part's.
  expect(raw).not.toMatch(/\r\n[ \t]+\r\n/);
  expect(raw).not.toMatch(/^bcc:/im);
  return { raw, header, mail: await simpleParser(bytes, { skipTextToHtml: true, skipHtmlToText: true, skipImageLinks: true }) };
}

/** mailparser decodes the headers that it knows; the caller's it leaves as they travel (RFC 2047). */
const decoded = (value: unknown) =>
  String(value)
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?UTF-8\?B\?([^?]*)\?=/g, (_, base64: string) => Buffer.from(base64, 'base64').toString())
    .replace(/=\?UTF-8\?Q\?([^?]*)\?=/g, (_, quoted: string) => decodeURIComponent(quoted.replaceAll('_', ' ').replaceAll('=', '%')));

const addresses = (list: ParsedMail['to']) => [list ?? []].flat().flatMap(({ value }) => value.map(({ name, address }) => [name, address]));

describe('text', () => {
  test.each([
    ['text only', { body: 'a text' }, 'text/plain', 'a text', false],
    ['HTML only', { body: '', htmlBody: '<p>hi' }, 'text/html', undefined, '<p>hi'],
    ['both', { body: 'a text', htmlBody: '<p>hi' }, 'multipart/alternative', 'a text', '<p>hi'],
    ['neither', { body: '' }, 'text/plain', undefined, false],
  ])('%s', async (_, over, contentType, text, html) => {
    const { mail } = await make(over);
    expect(mail.headers.get('content-type')).toMatchObject({ value: contentType });
    expect([mail.text?.trimEnd() || undefined, mail.html && mail.html.trimEnd()]).toEqual([text, html]);
    expect(mail.attachments).toEqual([]);
  });

  test.each([
    ['dots and line ends of every kind', 'a\nb\r\nc\rd\n.\n..\n.e\n\n\nf \n', 'a\nb\nc\nd\n.\n..\n.e\n\n\nf \n'],
    ['what ends an SMTP conversation', 'x\r\n.\r\nMAIL FROM:<evil@example.com>\r\n', 'x\n.\nMAIL FROM:<evil@example.com>\n'],
    ['UTF-8', 'Grüße\r\nпривет 你好 😀\r', 'Grüße\nпривет 你好 😀\n'],
    ['a long line', 'x'.repeat(100_000), 'x'.repeat(100_000)],
    ['a long line of UTF-8', '😀'.repeat(10_000), '😀'.repeat(10_000)],
    ['what looks like MIME', 'Content-Type: text/html\n\n--b\n=20=3D\nFrom x\n', 'Content-Type: text/html\n\n--b\n=20=3D\nFrom x\n'],
  ])('%s arrives as it was given, save the kind of its line ends', async (_, given, arrived) => {
    const { mail } = await make({ body: given, htmlBody: given });
    expect(mail.text?.replaceAll('\r\n', '\n')).toBe(arrived);
    expect(String(mail.html).replaceAll('\r\n', '\n')).toBe(arrived);
    expect((await make({ body: given })).mail.text?.trimEnd()).toBe(arrived.trimEnd());
  });
});

describe('header', () => {
  test('names and subject of UTF-8; cc and reply_to; nobody else', async () => {
    const { mail, header } = await make({
      from: 'Jürgen <j@example.com>',
      to: ['Зоя <z@example.com>', '"a, b; <c@d>" <c@example.com>', 'plain@example.com'],
      cc: ['你好 <n@bücher.example>'],
      replyTo: ['r@example.com', 'R <r2@example.com>'],
      subject: 'Grüße 😀',
      recipients: [{ position: 0, address: 'secret@example.com', kind: 'bcc', attempts: 0 }],
    });
    expect(addresses(mail.from)).toEqual([['Jürgen', 'j@example.com']]);
    expect(addresses(mail.to)).toEqual([
      ['Зоя', 'z@example.com'],
      ['a, b; <c@d>', 'c@example.com'],
      ['', 'plain@example.com'],
    ]);
    expect(addresses(mail.cc)).toEqual([['你好', expect.stringMatching(/^n@(xn--bcher-kva|bücher)\.example$/)]]);
    expect(addresses(mail.replyTo)).toEqual([
      ['', 'r@example.com'],
      ['R', 'r2@example.com'],
    ]);
    expect(mail.subject).toBe('Grüße 😀');
    // eslint-disable-next-line no-control-regex -- all of ASCII
    expect(header).toMatch(/^[\x00-\x7f]*$/);
    expect(header).not.toContain('secret');
  });

  test('Message-ID and Date are the same on every attempt, and the date is when it was due', async () => {
    const first = await make({ attemptNo: 1 });
    const second = await make({ attemptNo: 7, recipients: [], takenOver: true });
    expect(first.mail.messageId).toBe('<msg_0190a0b0-0000-7000-8000-000000000001@example.com>');
    expect(second.mail.messageId).toBe(first.mail.messageId);
    expect([first.mail.date, second.mail.date]).toEqual([CREATED, CREATED]);
    const sendAt = new Date('2026-01-03T00:00:00Z');
    expect((await make({ sendAt })).mail.date).toEqual(sendAt);
  });

  test('its domain is that of the sender', () => {
    expect(messageIdOf({ id: 'x', fromAddress: 'a@b.example' })).toBe('<msg_x@b.example>');
  });

  test('headers of the caller', async () => {
    const { mail } = await make({
      headers: { 'X-Campaign': 'Frühling', 'list-unsubscribe': '<https://example.com/u>', 'X-Tab': 'a\tb', constructor: 'c' },
    });
    expect(decoded(mail.headers.get('x-campaign'))).toBe('Frühling');
    expect(mail.headerLines.find(({ key }) => key === 'list-unsubscribe')?.line).toMatch(/: <https:\/\/example\.com\/u>$/);
    expect(mail.headers.get('x-tab')).toBe('a\tb');
    expect(mail.headers.get('constructor')).toBe('c');
  });

  test.each([
    ['one word', 'x'.repeat(997)],
    ['many words', 'word '.repeat(199).trim()],
    ['UTF-8', 'ü😀'.repeat(332)],
  ])('a subject and a header as long as they may be: %s', async (_, long) => {
    const { mail } = await make({ subject: long, headers: { [`X-${'n'.repeat(74)}`]: long } });
    expect(mail.subject).toBe(long);
    expect(decoded(mail.headers.get(`x-${'n'.repeat(74)}`))).toBe(long);
  });

  test('1000 recipients are folded', async () => {
    const to = Array.from({ length: 1000 }, (_, i) => `"Number ${i}, ü" <number${i}@example.com>`);
    expect(addresses((await make({ to })).mail.to)).toHaveLength(1000);
  });

  test('long runs of spaces leave no blank line, which could end the header early', async () => {
    const spaces = ' '.repeat(300);
    const { mail } = await make({
      subject: `a${spaces}X-Evil: b${spaces}`,
      to: [`"c${spaces}d" <c@example.com>`],
      headers: { 'X-A': `${spaces}e\t${spaces}f` },
      body: 'the body',
    });
    expect(mail.subject?.replace(/\s+/g, ' ').trim()).toBe('a X-Evil: b');
    expect(mail.headers.has('x-evil')).toBe(false);
    expect(mail.text?.trim()).toBe('the body');
  });

  test('the subject is that of the mail, once', async () => {
    const { header, mail } = await make({ subject: 'hello', headers: { subject: 'other' } });
    expect(header.match(/^subject:/gim)).toHaveLength(1);
    expect(mail.subject).toBe('hello');
  });
});

describe('attachments', () => {
  const exact = Buffer.concat([Buffer.from('A: b\nc\rd\r\n.\r\n--x--\n\0'), Buffer.alloc(3000, 'long'), Buffer.from([0xff, 0xfe])]);

  test.each(['application/pdf', 'text/plain', 'text/html; charset=iso-8859-1', 'text/calendar; method=REQUEST', 'image/png'])(
    '%s: every byte',
    async (contentType) => {
      const { mail } = await make({}, [file({ contentType, content: exact })]);
      expect(mail.attachments).toHaveLength(1);
      expect(mail.attachments[0]).toMatchObject({
        contentType: contentType.split(';')[0],
        filename: 'a.bin',
        contentDisposition: 'attachment',
      });
      expect(mail.attachments[0]?.content.equals(exact)).toBe(true);
      expect(mail.text?.trim()).toBe('a text');
    },
  );

  test.each(['message/rfc822', 'message/delivery-status', 'multipart/mixed; boundary=x', 'Multipart/Signed'])(
    '%s, which may not be encoded, goes as a file of bytes: none of it is changed or read as part of the mail',
    async (contentType) => {
      const { mail, raw } = await make({}, [file({ contentType, content: exact, filename: 'forwarded.eml' })]);
      expect(mail.attachments).toHaveLength(1);
      expect(raw).toContain('Content-Type: application/octet-stream; name=forwarded.eml');
      expect(mail.attachments[0]?.content.equals(exact)).toBe(true);
    },
  );

  test('an inline image is found by the HTML that names it', async () => {
    const inline = file({ filename: 'logo.png', contentType: 'image/png', contentId: 'logo$1@x' });
    const { mail } = await make({ htmlBody: '<img src="cid:logo$1@x">' }, [inline, file()]);
    expect(
      mail.attachments.map(({ cid, related, contentDisposition, filename }) => ({ cid, related, contentDisposition, filename })),
    ).toEqual([
      { cid: 'logo$1@x', related: true, contentDisposition: 'inline', filename: 'logo.png' },
      { cid: undefined, related: undefined, contentDisposition: 'attachment', filename: 'a.bin' },
    ]);
  });

  test.each(['Grüße 你好.pdf', 'a"b\\c;d=e.txt', '../../etc/passwd', 'ü'.repeat(255), 'x'.repeat(255), "it's.txt", '%41.txt', '.'])(
    'a file named %j keeps its name',
    async (filename) => {
      const { mail } = await make({}, [file({ filename })]);
      expect(mail.attachments[0]?.filename).toBe(filename);
    },
  );

  test('a long run of spaces in a name leaves no blank line', async () => {
    const { mail } = await make({}, [file({ filename: `a${' '.repeat(200)}b.txt` })]);
    expect(mail.attachments[0]?.filename).toBe('a b.txt');
  });

  test('an empty file, and many files in their order', async () => {
    const files = Array.from({ length: 100 }, (_, i) => file({ filename: `${i}.txt`, content: Buffer.alloc(i) }));
    const { mail } = await make({}, files);
    expect(mail.attachments.map(({ filename, size }) => [filename, size])).toEqual(
      files.map(({ filename, content }) => [filename, (content as Buffer).length]),
    );
  });
});

test('nothing in a mail makes the composer read a file or a URL', async () => {
  const fetched = jest.spyOn(globalThis, 'fetch');
  const places = ['file:///etc/hostname', '/etc/hostname', 'http://127.0.0.1:1/x', 'data:text/plain;base64,c2VjcmV0'];
  for (const place of places) {
    const { mail } = await make(
      { subject: place, body: place, htmlBody: `<img src="${place}">`, headers: { 'X-Path': place, Path: place, Href: place } },
      [file({ filename: place, content: Buffer.from(place) })],
    );
    expect(mail.html).toBe(`<img src="${place}">`);
    expect(mail.text?.trim()).toBe(place);
    expect(mail.attachments.map(({ content, filename }) => [content.toString(), filename])).toEqual([[place, place]]);
  }
  expect(fetched).not.toHaveBeenCalled();
});
