import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../../test/eventually';
import { curl } from '../../testing/curl.client';
import { contentOf } from '../../testing/fake-files.service';
import { GatewayFixture } from '../../testing/gateway.fixture';
import { SlowBody } from '../../testing/slow-body.client';

const MEGABYTE = 1_048_576;
const fixture = new GatewayFixture();
const { files } = fixture;
const content = randomBytes(2 * MEGABYTE + 11);
beforeAll(() => fixture.start());
afterAll(() => fixture.stop());
beforeEach(() => files.reset());

const TYPE = 'multipart/form-data; boundary=b';
const part = (head: string, body = 'x') => `--b\r\n${head}\r\n\r\n${body}\r\n`;
const file = (name = 'a.txt', body = 'x') => part(`Content-Disposition: form-data; name="f"; filename="${name}"`, body);
const field = (body = 'x') => part('Content-Disposition: form-data; name="other"', body);
const END = '--b--\r\n';
const send = (body: string, headers: Record<string, string> = {}) =>
  fixture.ask('/api/v1/files', { method: 'POST', body, headers: { 'content-type': TYPE, ...headers } });
const fieldsOf = (json: { errors?: { field: string }[] }) => json.errors?.map(({ field: name }) => name);

describe('a form', () => {
  test('of a browser brings its file, its name and its type, beside other fields', async () => {
    const form = new FormData();
    form.set('before', 'x'.repeat(1000));
    form.set('file', new Blob([content], { type: 'application/pdf' }), 'ü "1".pdf');
    form.set('after', 'y');
    const { status, json } = await fixture.ask('/api/v1/files', { method: 'POST', body: form });
    expect([status, json.size]).toEqual([201, content.length]);
    expect(contentOf(files.only).equals(content)).toBe(true);
    expect(files.only).toMatchObject({ filename: 'ü "1".pdf', contentType: 'application/pdf', totalSize: 0 });
  });

  test('of curl does, too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'forms-'));
    await writeFile(join(folder, 'r.bin'), content);
    const { status } = await curl('-F', 'a=b', '-F', `f=@${join(folder, 'r.bin')};type=text/x`, `${fixture.url}/api/v1/files`);
    expect([status, files.only.filename, files.only.contentType]).toEqual([201, 'r.bin', 'text/x']);
    expect(contentOf(files.only).equals(content)).toBe(true);
    await rm(folder, { recursive: true });
  });

  test.each([
    ['an empty file', file('a.txt', '') + END, ''],
    ['a file that looks like a boundary', file('a.txt', '\r\n--a\r\n--\r\n-') + END, '\r\n--a\r\n--\r\n-'],
    ['text around the parts', `hello\r\n${file()}${END}\r\nbye`, 'x'],
    ['a part without headers', `--b\r\n\r\nx\r\n${file()}${END}`, 'x'],
  ])('with %s is read', async (_, body, expected) => {
    expect((await send(body)).status).toBe(201);
    expect(contentOf(files.only).toString()).toBe(expected);
  });

  test.each([
    ['no file', field() + END, 400, 'INVALID_ARGUMENT', ['body']],
    ['nothing', '', 400, 'MALFORMED_REQUEST', undefined],
    ['no part', END, 400, 'INVALID_ARGUMENT', ['body']],
    ['two files', file() + file('b.txt') + END, 400, 'INVALID_ARGUMENT', ['body']],
    ['no end', file(), 400, 'MALFORMED_REQUEST', undefined],
    ['a file that does not end', file().slice(0, -3), 400, 'MALFORMED_REQUEST', undefined],
    ['too many parts', field().repeat(70) + file() + END, 413, 'MESSAGE_TOO_LARGE', undefined],
    ['too many parts behind its file', file() + field().repeat(70) + END, 413, 'MESSAGE_TOO_LARGE', undefined],
    ['too large a field', file() + field('x'.repeat(2 * MEGABYTE)) + END, 413, 'MESSAGE_TOO_LARGE', undefined],
    ['too large a preamble', 'x'.repeat(2 * MEGABYTE) + file() + END, 413, 'MESSAGE_TOO_LARGE', undefined],
    ['too large an end', file() + END + 'x'.repeat(2 * MEGABYTE), 413, 'MESSAGE_TOO_LARGE', undefined],
    ['too large headers', part(`X: ${'x'.repeat(2 * MEGABYTE)}`) + file() + END, 413, 'MESSAGE_TOO_LARGE', undefined],
    ['a path for a name', file('../../x') + END, 400, 'INVALID_ARGUMENT', ['filename']],
    ['a line break in a name', file('a%0D%0Ab') + END, 400, 'INVALID_ARGUMENT', ['filename']],
    ['10,000 characters for a name', file('x'.repeat(10_000)) + END, 400, 'INVALID_ARGUMENT', ['filename']],
  ])('with %s is refused, and nothing is left', async (_, body, status, code, fields) => {
    const { json, ...answer } = await send(body);
    expect([answer.status, json.code, fieldsOf(json), files.uploads.size]).toEqual([status, code, fields, 0]);
  });

  test.each(['multipart/form-data', `multipart/form-data; boundary=${'b'.repeat(71)}`])('of the type %s is refused', async (type) => {
    const { status, json } = await send(file() + END, { 'content-type': type });
    expect([status, json.code]).toEqual([400, 'MALFORMED_REQUEST']);
  });

  test('has its digest over the whole body', async () => {
    const body = file() + field() + END;
    const digest = createHash('sha256').update(body).digest('base64');
    expect((await send(body, { 'content-digest': `sha-256=:${digest}:` })).status).toBe(201);
    files.reset();
    const { status, json } = await send(`${body}x`, { 'content-digest': `sha-256=:${digest}:` });
    expect([status, json.code, files.uploads.size]).toEqual([400, 'DIGEST_MISMATCH', 0]);
  });
});

test('a service that holds back holds back the form', async () => {
  let go!: () => void;
  const held = new Promise<void>((resolve) => (go = resolve));
  files.beforeChunk = () => held;
  const sending = new SlowBody(fixture, 'POST', '/api/v1/files', { 'content-type': TYPE });
  const all = (async () => {
    await sending.write(Buffer.from(file('a', '').slice(0, -2)));
    for (let at = 0; at < 48; at++) await sending.write(Buffer.alloc(MEGABYTE, 'x'));
    sending.request.end(`\r\n${END}`);
  })();
  let before = -1;
  while (before !== sending.writtenBytes || before === 0) {
    before = sending.writtenBytes;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  expect(before).toBeLessThan(24 * MEGABYTE);
  go();
  await all;
  expect((await sending.answer()).json.size).toBe(48 * MEGABYTE);
});

test('a client that goes away in the middle of a form leaves nothing', async () => {
  const sending = new SlowBody(fixture, 'POST', '/api/v1/files', { 'content-type': TYPE });
  await sending.write(Buffer.from(file('a', 'x'.repeat(MEGABYTE)).slice(0, -2)));
  await eventually(
    () => files.uploads.size,
    (size) => size === 1,
  );
  sending.request.destroy();
  await eventually(
    () => files.uploads.size,
    (size) => size === 0,
  );
});
