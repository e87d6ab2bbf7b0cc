import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RuleError } from '@sky-genesis/grpc';
import type { FileChunk } from '@sky-genesis/proto';
import { eventually } from '../../../../test/eventually';
import { curl } from '../../testing/curl.client';
import { contentOf, sha256Of, sizeOf } from '../../testing/fake-files.service';
import { GatewayFixture, tokenFor } from '../../testing/gateway.fixture';
import { SlowBody } from '../../testing/slow-body.client';

const MEGABYTE = 1_048_576;
const LIMIT = 65_536;
const fixture = new GatewayFixture();
const { files } = fixture;
const content = randomBytes(3 * MEGABYTE + 17);
let folder: string;
let file: string;
beforeAll(async () => {
  // Files are larger than any message may be.
  await fixture.start({ GRPC_MAX_MESSAGE_SIZE: String(MEGABYTE), HTTP_REQUEST_TIMEOUT_SECONDS: '2' });
  folder = await mkdtemp(join(tmpdir(), 'uploads-'));
  file = join(folder, 'report.pdf');
  await writeFile(file, content);
});
afterAll(async () => {
  await fixture.stop();
  await rm(folder, { recursive: true });
});
beforeEach(() => files.reset());

const upload = (body: Buffer | string, headers: Record<string, string> = {}, query = '') =>
  fixture.ask(`/api/v1/files${query}`, { method: 'POST', body: typeof body === 'string' ? body : new Uint8Array(body), headers });
const fieldsOf = (json: { errors?: { field: string }[] }) => json.errors?.map(({ field }) => field);

describe('a body', () => {
  test('of any size is stored as it is, and told by its hash', async () => {
    const { status, headers, json } = await upload(content, {
      'content-type': 'Application/PDF; v=1',
      'content-disposition': 'attachment; filename="report.pdf"',
    });
    const stored = files.only;
    const { fileId } = stored;
    expect([status, json]).toEqual([201, { file_id: fileId, size: content.length, sha256: sha256Of(content) }]);
    expect(headers.get('location')).toBe(`/api/v1/files/${fileId}`);
    expect(stored).toMatchObject({
      filename: 'report.pdf',
      contentType: 'Application/PDF; v=1',
      totalSize: content.length,
      complete: true,
    });
    expect(contentOf(stored).equals(content)).toBe(true);
    expect(Math.max(...files.chunks.map(({ bytes }) => bytes))).toBeLessThanOrEqual(262_144);
    expect(files.chunks.length).toBeLessThan(40);
  });

  test.each([
    ['application/json', '{"not": "read"'],
    ['application/x-ndjson', '{}\n'],
    ['text/plain; charset=utf-8', 'x'],
    ['application/x-www-form-urlencoded', 'a=b'],
    ['no media type', 'x'],
  ])('of %s is bytes like any other', async (contentType, body) => {
    expect((await upload(body, { 'content-type': contentType })).status).toBe(201);
    expect([contentOf(files.only).toString(), files.only.contentType]).toEqual([body, contentType]);
  });

  test('of no declared type, and of no length', async () => {
    const sending = new SlowBody(fixture, 'POST', '/api/v1/files');
    await sending.write(Buffer.from('a'));
    sending.request.end('b');
    expect((await sending.answer()).status).toBe(201);
    expect(files.only).toMatchObject({ contentType: 'application/octet-stream', totalSize: 0 });
    expect(contentOf(files.only).toString()).toBe('ab');
  });

  test.each([{}, { 'content-type': 'text/plain' }])('of nothing is an empty file (%j)', async (headers) => {
    const { status, json } = await upload('', headers as Record<string, string>);
    expect([status, json.size, json.sha256]).toEqual([201, 0, sha256Of(Buffer.alloc(0))]);
  });

  test('that is compressed is refused', async () => {
    const { status, json } = await upload('x', { 'content-encoding': 'gzip' });
    expect([status, json.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  test.each([
    ['?filename=a.txt', undefined, 'a.txt'],
    ['?filename=a.txt', 'attachment; filename=b.txt', 'b.txt'],
  ])('is named by the query %s and the header %p: %s', async (query, disposition, filename) => {
    await upload('x', disposition ? { 'content-disposition': disposition } : {}, query);
    expect(files.only.filename).toBe(filename);
  });

  test.each([
    [`attachment; filename*=UTF-8''%E2%82%AC%20rates.txt; filename="e.txt"`, '€ rates.txt'],
    ['attachment; filename="ü\\"q.txt"', 'ü"q.txt'],
  ])('is named by %s', async (disposition, filename) => {
    await curl('-d', 'x', '-H', `Content-Disposition: ${disposition}`, `${fixture.url}/api/v1/files`);
    expect(files.only.filename).toBe(filename);
  });

  test.each([
    ['a path', 'attachment; filename="../../x"'],
    ['a control character', `attachment; filename*=UTF-8''a%0D%0Ab`],
    ['NUL', `attachment; filename*=UTF-8''a%00b`],
    ['too much', `attachment; filename="${'x'.repeat(10_000)}"`],
  ])('whose name is %s is refused by the service, as it was given', async (_, disposition) => {
    const { status, json } = await upload('x', { 'content-disposition': disposition });
    expect([status, fieldsOf(json), files.uploads.size]).toEqual([400, ['filename'], 0]);
  });
});

describe('under its name', () => {
  test('a file is new each time', async () => {
    for (const _ of [1, 2]) {
      const { status } = await fixture.ask('/api/v1/files/by-name/%C3%BC%20a.txt', { method: 'PUT', body: 'x' });
      expect(status).toBe(201);
    }
    expect([...files.uploads.values()].map(({ filename }) => filename)).toEqual(['ü a.txt', 'ü a.txt']);
  });

  test.each([
    ['a path', '..%2Fx', 400, 'INVALID_ARGUMENT', ['filename']],
    ['NUL', 'a%00b', 400, 'INVALID_ARGUMENT', ['filename']],
    ['CRLF', 'a%0D%0Ab', 400, 'INVALID_ARGUMENT', ['filename']],
    ['256 characters', 'x'.repeat(256), 400, 'INVALID_ARGUMENT', ['filename']],
    ['10,000 characters', 'x'.repeat(10_000), 400, 'INVALID_ARGUMENT', ['filename']],
    ['no percent-encoding', '%zz', 400, 'MALFORMED_REQUEST', undefined],
    ['two parts', 'a/b', 404, 'ROUTE_NOT_FOUND', undefined],
  ])('%s is refused', async (_, name, status, code, fields) => {
    const answer = await fixture.ask(`/api/v1/files/by-name/${name}`, { method: 'PUT', body: 'x' });
    expect([answer.status, answer.json.code, fieldsOf(answer.json), files.uploads.size]).toEqual([status, code, fields, 0]);
  });
});

describe('what goes wrong', () => {
  test.each(['POST', 'PUT'])('%s: an error of the service is told, and nothing is left', async (method) => {
    files.beforeChunk = ({ offset }: FileChunk) => {
      if (Number(offset) > MEGABYTE) throw new RuleError('STORE_FULL');
    };
    const path = method === 'POST' ? '/api/v1/files' : '/api/v1/files/by-name/x';
    const { status, json } = await fixture.ask(path, { method, body: new Uint8Array(content) });
    expect([status, json.code, files.uploads.size]).toEqual([507, 'STORE_FULL', 0]);
  });

  test('a client that goes away leaves nothing', async () => {
    const sending = new SlowBody(fixture, 'POST', '/api/v1/files', { 'content-length': String(content.length) });
    await sending.write(content.subarray(0, MEGABYTE));
    await eventually(
      () => files.receivedBytes,
      (bytes) => bytes > 0,
    );
    sending.request.destroy();
    await eventually(
      () => files.uploads.size,
      (size) => size === 0,
    );
  });

  test('a body that does not go on ends in time, and leaves nothing', async () => {
    const sending = new SlowBody(fixture, 'POST', '/api/v1/files', { 'content-length': '10' });
    await sending.write(Buffer.from('abc'));
    const { status, json } = await sending.answer();
    expect([status, json.code, files.uploads.size]).toEqual([504, 'DEADLINE_EXCEEDED', 0]);
  });

  test('a scope that is missing is told before the body is sent', async () => {
    const sending = new SlowBody(fixture, 'POST', '/api/v1/files', {
      authorization: `Bearer ${tokenFor('files.read')}`,
      expect: '100-continue',
      'content-length': '1000000',
    });
    const continued = jest.fn();
    sending.request.on('continue', continued);
    const { status, json } = await sending.answer();
    expect([status, json.code, continued.mock.calls.length]).toEqual([403, 'SCOPE_MISSING', 0]);
    sending.request.destroy();
  });

  test('a body that is waited for is asked for once', async () => {
    const sending = new SlowBody(fixture, 'POST', '/api/v1/files', { expect: '100-continue', 'content-length': '3' });
    const continued = jest.fn(() => sending.request.end('abc'));
    sending.request.on('continue', continued);
    expect([(await sending.answer()).status, continued.mock.calls.length]).toEqual([201, 1]);
  });

  test('a JSON route asks for its body as before', async () => {
    const sending = new SlowBody(fixture, 'POST', '/api/v1/mail/send', { expect: '100-continue', 'content-type': 'application/json' });
    sending.request.on('continue', () => sending.request.end('{"to":["a@example.com"]}'));
    expect((await sending.answer()).status).toBe(202);
  });
});

test('a service that holds back holds back the sender', async () => {
  let go!: () => void;
  const held = new Promise<void>((resolve) => (go = resolve));
  files.beforeChunk = () => held;
  const sending = new SlowBody(fixture, 'POST', '/api/v1/files');
  const piece = Buffer.alloc(MEGABYTE, 'x');
  const all = (async () => {
    for (let at = 0; at < 64; at++) await sending.write(piece);
    sending.request.end();
  })();
  // What sockets and windows hold is full when nothing more is taken for a while.
  let before = -1;
  while (before !== sending.writtenBytes || before === 0) {
    before = sending.writtenBytes;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  expect(before).toBeLessThan(24 * MEGABYTE);
  go();
  await all;
  expect((await sending.answer()).json.size).toBe(64 * MEGABYTE);
});

describe('curl', () => {
  test('-T uploads a file under its name', async () => {
    const { status, body } = await curl('-T', file, `${fixture.url}/api/v1/files/by-name/`);
    expect([status, JSON.parse(body).sha256]).toEqual([201, sha256Of(content)]);
    expect(files.only.filename).toBe('report.pdf');
  });

  test('-T - uploads what has no length', async () => {
    const { status } = await curl('-T', '-', `${fixture.url}/api/v1/files/by-name/empty`);
    expect([status, files.only.totalSize, sizeOf(files.only)]).toEqual([201, 0, 0]);
  });

  test('--data-binary uploads any bytes', async () => {
    const { status } = await curl('--data-binary', `@${file}`, `${fixture.url}/api/v1/files?filename=x.bin`);
    expect([status, contentOf(files.only).equals(content)]).toEqual([201, true]);
  });
});

test(`a JSON body is still bounded`, async () => {
  const { status } = await fixture.post('/api/v1/mail/send', { body: 'x'.repeat(MEGABYTE + LIMIT) });
  expect(status).toBe(413);
});

describe('a deletion', () => {
  test('is 204, and 404 when it is not there', async () => {
    const { fileId } = files.put(content);
    const remove = () => fixture.ask(`/api/v1/files/${fileId}`, { method: 'DELETE' });
    expect((await remove()).status).toBe(204);
    const { status, json } = await remove();
    expect([status, json.code]).toEqual([404, 'FILE_NOT_FOUND']);
  });

  test('of a file that an email needs is 409', async () => {
    const { fileId } = files.put(content);
    files.inUse.add(fileId);
    const { status, json } = await fixture.ask(`/api/v1/files/${fileId}`, { method: 'DELETE' });
    expect([status, json.code]).toEqual([409, 'FILE_IN_USE']);
  });
});
