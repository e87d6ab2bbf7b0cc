import { randomBytes } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { eventually } from '../eventually';
import { type PlantedFile, PlantedFiles } from './planted-files';
import { request, SubmitClient } from './submit-client';
import { filesFolderOf, TestSystem, token } from './test-system';

let system: TestSystem;
let files: PlantedFiles;

beforeAll(async () => {
  system = await TestSystem.start({ MAIL_RETRY_BASE_SECONDS: '1', MAIL_MAX_ATTACHMENT_BYTES: '8000000' });
  files = new PlantedFiles(system.database, filesFolderOf(system.database));
});
afterAll(() => system?.stop());

const TO = { from: 'sender@example.com', to: ['recipient@example.com'] };
const LARGE = 256 * 1024 + 1;

interface Seen {
  status: string;
  attachments: { filename: string; content_type: string; file_id?: string; size: number }[];
  recipients: { status: string; reason?: string; attempts: number }[];
  attempts: { outcome: string }[];
}
const get = async (id: string) => (await system.rest('GET', `/api/v1/mail/${id}`)).body as unknown as Seen;
const until = (id: string, status: string) =>
  eventually(
    () => get(id),
    (mail) => mail.status === status,
  );
const post = (body: object, key?: string) =>
  system.rest('POST', '/api/v1/mail/send', { body: { ...TO, ...body }, ...(key !== undefined && { headers: { 'idempotency-key': key } }) });
const send = async (body: object): Promise<string> => {
  const answer = await post(body);
  expect([answer.status, answer.body]).toEqual([202, answer.body]);
  return String(answer.body.message_id);
};
const rows = async (table: string) => Number((await system.database.query<{ count: string }>(`select count(*) from ${table}`))[0]?.count);

test('files and inline attachments arrive together, byte by byte, and GET tells which are files', async () => {
  const [image, large] = [
    await files.add(randomBytes(1000), { filename: 'logo.png', contentType: 'image/png' }),
    await files.add(randomBytes(3 * 1024 * 1024 + 1)),
  ];
  const empty = await files.add(Buffer.alloc(0), { filename: 'empty' });
  const inline = randomBytes(1000);
  const id = await send({
    html_body: '<img src="cid:logo">',
    attachments: [
      { file_id: large.fileId },
      { filename: 'inline.bin', content: inline.toString('base64') },
      { file_id: image.fileId, content_id: 'logo' },
      { file_id: empty.fileId, filename: 'renamed.txt', content_type: 'text/plain' },
    ],
  });
  const { attachments } = await until(id, 'sent');
  expect(attachments).toEqual([
    { filename: 'file.bin', content_type: 'application/x-test', file_id: large.fileId, size: large.content.length },
    { filename: 'inline.bin', content_type: 'application/octet-stream', size: 1000 },
    { filename: 'logo.png', content_type: 'image/png', content_id: 'logo', file_id: image.fileId, size: 1000 },
    { filename: 'renamed.txt', content_type: 'text/plain', file_id: empty.fileId, size: 0 },
  ]);
  const arrived = new Map((await system.relay.parsed(id)).attachments.map(({ filename, content }) => [filename, content]));
  expect([...arrived.keys()].sort()).toEqual(['file.bin', 'inline.bin', 'logo.png', 'renamed.txt']);
  expect(arrived.get('file.bin')?.equals(large.content)).toBe(true);
  expect(arrived.get('logo.png')?.equals(image.content)).toBe(true);
  expect(arrived.get('inline.bin')?.equals(inline)).toBe(true);
  expect(arrived.get('renamed.txt')).toHaveLength(0);
});

test('a mail is whole after its file was deleted', async () => {
  const file = await files.add(randomBytes(100_000));
  const id = await send({ send_at: Math.floor(Date.now() / 1000) + 1, attachments: [{ file_id: file.fileId }] });
  await system.database.query('delete from file where id = $1', [file.id]);
  await until(id, 'sent');
  expect((await system.relay.parsed(id)).attachments[0]?.content.equals(file.content)).toBe(true);
});

describe('content that comes with the mail', () => {
  test('above 256 KiB becomes a file, and is delivered as it came', async () => {
    const [small, large] = [randomBytes(LARGE - 1), randomBytes(LARGE)];
    const attachments = [small, large].map((content, i) => ({ filename: `${i}.bin`, content: content.toString('base64') }));
    const id = await send({ attachments });
    const seen = await until(id, 'sent');
    expect(seen.attachments).toEqual([
      { filename: '0.bin', content_type: 'application/octet-stream', size: LARGE - 1 },
      {
        filename: '1.bin',
        content_type: 'application/octet-stream',
        file_id: expect.stringMatching(/^file_[0-9a-f-]{36}$/) as string,
        size: LARGE,
      },
    ]);
    const parsed = await system.relay.parsed(id);
    expect(parsed.attachments.map(({ content }, i) => content.equals([small, large][i] as Buffer))).toEqual([true, true]);
  });

  test('is the same mail by content and by file_id; a replay leaves no second file', async () => {
    const content = randomBytes(LARGE);
    const inline = { attachments: [{ filename: 'a.bin', content: content.toString('base64') }] };
    const first = await post(inline, 'large');
    const before = [await rows('file'), await rows('content')];
    const again = await post(inline, 'large');
    expect([again.status, again.body]).toEqual([202, first.body]);
    expect([await rows('file'), await rows('content')]).toEqual(before);
    const { fileId } = await files.add(content);
    const byId = await post({ attachments: [{ filename: 'a.bin', content_type: 'application/octet-stream', file_id: fileId }] }, 'large');
    expect([byId.status, byId.body]).toEqual([202, first.body]);
    expect((await post({ attachments: [{ filename: 'a.bin', content: randomBytes(LARGE).toString('base64') }] }, 'large')).status).toBe(
      409,
    );
  });

  test('leaves no file where the mail is refused', async () => {
    const before = await rows('file');
    const answer = await post({ to: ['nobody'], attachments: [{ filename: 'a.bin', content: randomBytes(LARGE).toString('base64') }] });
    expect([answer.status, await rows('file')]).toEqual([400, before]);
  });
});

describe('what names no file', () => {
  const FIELD = 'email.attachments[1].file_id';
  const NOT_YOURS = { field: FIELD, description: 'names no file of yours' };
  let good: PlantedFile;
  let bad: [what: string, fileId: string, violation: object][];
  beforeAll(async () => {
    good = await files.add(Buffer.from('good'));
    bad = [
      ['missing', 'file_0190a0b0-0000-7000-8000-000000000001', NOT_YOURS],
      ['malformed', 'file_1', NOT_YOURS],
      ["another tenant's", (await files.add(Buffer.from('theirs'), { tenant: 'other' })).fileId, NOT_YOURS],
      ["another tenant's upload", await files.addUpload('other'), NOT_YOURS],
      ['not complete', await files.addUpload(), { field: FIELD, description: 'is an upload that is not complete' }],
    ];
  });

  test('is refused on both wires and in bulk, with all other faults, and nothing is stored', async () => {
    const tables = ['email', 'attachment', 'job', 'event', 'idempotency_key'];
    const before = await Promise.all(tables.map(rows));
    const bulk = new SubmitClient(system.grpcUrl, { token: token() });
    for (const [what, fileId, violation] of bad) {
      const attachments = [{ fileId: good.fileId }, { fileId }];
      const violations = [{ field: 'email.subject', description: expect.any(String) as string }, violation];
      const rest = await post({ subject: 'a\nb', attachments: [{ file_id: good.fileId }, { file_id: fileId }] });
      expect([what, rest.status, rest.body]).toMatchObject([what, 400, { code: 'INVALID_ARGUMENT' }]);
      expect(JSON.stringify(rest.body)).toContain('attachments[1].file_id');
      const error = await system.grpcError('submitEmail', { email: { ...TO, subject: 'a\nb', attachments } });
      expect([what, error.reason, error.details.violations]).toEqual([what, 'INVALID_ARGUMENT', violations]);
      await bulk.send([request(what, { email: { ...TO, attachments } })]);
    }
    await bulk.send([request('good', { email: { ...TO, attachments: [{ fileId: good.fileId }] } })]);
    expect(await bulk.end()).toBeNull();
    for (const [what, , violation] of bad) expect([what, bulk.errorOf(`ref-${what}`)?.details.violations]).toEqual([what, [violation]]);
    const id = String(bulk.of('ref-good')[0]?.response?.messageId);
    await until(id, 'sent');
    const after = await Promise.all(tables.map(rows));
    // One mail, with its two events.
    expect(after.map((count, i) => count - (before[i] as number))).toEqual([1, 1, 0, 2, 1]);
  });

  test('all attachments together have a bound, files counted in', async () => {
    const large = await files.add(Buffer.alloc(5_000_000));
    const answer = await post({ attachments: [{ file_id: large.fileId }, { file_id: large.fileId }] });
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([400, expect.stringContaining('at most 8000000 bytes together')]);
  });
});

test('a store that fails in the middle of a mail: put off, the relay has nothing; delivered once when the store is back', async () => {
  const file = await files.add(randomBytes(3 * 1024 * 1024));
  // Cut off, so that it fails when much of it has gone.
  await truncate(file.path, 2 * 1024 * 1024);
  const id = await send({ attachments: [{ file_id: file.fileId }] });
  const deferred = await until(id, 'deferred');
  expect(deferred.recipients).toMatchObject([{ status: 'deferred', reason: 'CONTENT_UNAVAILABLE' }]);
  expect(deferred.attempts).toMatchObject([{ outcome: 'deferred' }]);
  expect(system.relay.received(id)).toEqual([]);
  await writeFile(file.path, file.content);
  await until(id, 'sent');
  expect(system.relay.received(id)).toHaveLength(1);
  expect((await system.relay.parsed(id)).attachments[0]?.content.equals(file.content)).toBe(true);
});
