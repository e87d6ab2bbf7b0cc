import { randomBytes } from 'node:crypto';
import { RuleError } from '@sky-genesis/grpc';
import { eventually } from '../../../../../test/eventually';
import { contentOf, sizeOf } from '../../../testing/fake-files.service';
import { GatewayFixture, tokenFor } from '../../../testing/gateway.fixture';
import { SlowBody } from '../../../testing/slow-body.client';
import { fieldsOf, PIECE, told, tusOf } from '../../../testing/tus.client';

const MEGABYTE = 1_048_576;
const fixture = new GatewayFixture();
const { files } = fixture;
const content = randomBytes(MEGABYTE + 7);
beforeAll(() => fixture.start({ HTTP_REQUEST_TIMEOUT_SECONDS: '2' }));
afterAll(() => fixture.stop());
beforeEach(() => files.reset());

const tus = tusOf(fixture);
const { create, patch } = tus;

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the creation of an upload', () => {
  test('gives its place, and keeps what its metadata says', async () => {
    const { status, headers } = await tus.ask('POST', '', {
      'upload-length': '10',
      'upload-metadata': `filename ${base64('ü.pdf')},filetype ${base64('application/pdf')},relativePath,other ${base64('x')}`,
    });
    expect([status, headers.get('location')]).toEqual([201, `/api/v1/uploads/${files.only.fileId}`]);
    expect(files.only).toMatchObject({ filename: 'ü.pdf', contentType: 'application/pdf', totalSize: 10, complete: false });
    expect(headers.get('tus-resumable')).toBe('1.0.0');
    expect(Date.parse(headers.get('upload-expires')!)).toBeGreaterThan(Date.now());
  });

  test('may bring the first piece, and the last', async () => {
    const path = await create({ ...PIECE, 'upload-length': '3' });
    expect((await tus.ask('HEAD', path)).headers.get('upload-offset')).toBe('0');
    files.reset();
    expect(told(await tus.ask('POST', '', { ...PIECE, 'upload-length': '3' }, 'ab'))).toEqual([201, '2']);
    expect(files.only).toMatchObject({ complete: false });
    files.reset();
    expect(told(await tus.ask('POST', '', { ...PIECE, 'upload-length': '3' }, 'abc'))).toEqual([201, '3']);
    expect(files.only).toMatchObject({ complete: true });
  });

  test('of nothing is complete', async () => {
    expect(told(await tus.ask('POST', '', { 'upload-length': '0' }))).toEqual([201, '0']);
    expect(files.only).toMatchObject({ complete: true });
  });

  test.each<[Record<string, string>, string[]]>([
    [{}, ['Upload-Length']],
    [{ 'upload-length': '-1' }, ['Upload-Length']],
    [{ 'upload-length': '9007199254740992' }, ['Upload-Length']],
    [{ 'upload-length': '1', 'upload-defer-length': '1' }, ['Upload-Length']],
    [{ 'upload-defer-length': '2' }, ['Upload-Defer-Length']],
    [{ 'upload-length': 'x', 'upload-metadata': 'a !' }, ['Upload-Length', 'Upload-Metadata']],
    [{ 'upload-length': '1', 'upload-metadata': 'a YQ==,a YQ==' }, ['Upload-Metadata']],
    [{ 'upload-length': '1', 'upload-metadata': 'filename /w==' }, ['Upload-Metadata']],
    [{ 'upload-length': '1', 'upload-metadata': `filename ${base64('../x')}` }, ['filename']],
  ])('%j is refused by name', async (headers, fields) => {
    const { status, json } = await tus.ask('POST', '', headers);
    expect([status, fieldsOf(json), files.uploads.size]).toEqual([400, fields, 0]);
  });

  test('with a body of another type is refused', async () => {
    expect((await tus.ask('POST', '', { 'upload-length': '1', 'content-type': 'text/plain' }, 'x')).status).toBe(415);
    expect(files.uploads.size).toBe(0);
  });

  test('whose body is wrong leaves nothing', async () => {
    const { status, json } = await tus.ask('POST', '', { ...PIECE, 'upload-length': '2' }, 'abc');
    expect([status, fieldsOf(json), files.uploads.size]).toEqual([400, ['body'], 0]);
  });
});

describe('an upload', () => {
  test('grows piece by piece, and is a file at the end', async () => {
    const path = await create(content.length);
    expect(told(await patch(path, 0, content.subarray(0, 1000)))).toEqual([204, '1000']);
    const head = await tus.ask('HEAD', path);
    expect([...told(head), head.headers.get('upload-length'), head.headers.get('cache-control')]).toEqual([
      200,
      '1000',
      String(content.length),
      'no-store',
    ]);
    expect(head.headers.get('upload-expires')).not.toBeNull();
    const last = await patch(path, 1000, content.subarray(1000));
    expect([...told(last), last.headers.get('upload-expires')]).toEqual([204, String(content.length), null]);
    expect(files.only.complete).toBe(true);
    expect(contentOf(files.only).equals(content)).toBe(true);
    expect(told(await tus.ask('HEAD', path))).toEqual([200, String(content.length)]);
  });

  test('says what it was told of its file', async () => {
    const path = await create({ 'upload-length': '1', 'upload-metadata': `name ${base64('ü')},type ${base64('text/x')}` });
    expect((await tus.ask('HEAD', path)).headers.get('upload-metadata')).toBe(`filename ${base64('ü')},filetype ${base64('text/x')}`);
  });

  test('may say its length later', async () => {
    const path = await create({ 'upload-defer-length': '1' });
    await patch(path, 0, 'ab');
    const head = await tus.ask('HEAD', path);
    expect([head.headers.get('upload-defer-length'), head.headers.get('upload-length')]).toEqual(['1', null]);
    expect(told(await patch(path, 2, '', { 'upload-length': '5' }))).toEqual([204, '2']);
    expect((await tus.ask('HEAD', path)).headers.get('upload-length')).toBe('5');
    expect(told(await patch(path, 2, 'cde'))).toEqual([204, '5']);
    expect(files.only.complete).toBe(true);
  });

  test('whose length is said when all is there is complete', async () => {
    const path = await create({ 'upload-defer-length': '1' });
    await patch(path, 0, 'ab');
    expect(told(await patch(path, 2, '', { 'upload-length': '2' }))).toEqual([204, '2']);
    expect(files.only.complete).toBe(true);
  });

  test('whose last message was lost is completed when it is asked about', async () => {
    const path = await create(2);
    files.only.pieces.push(Buffer.from('ab'));
    expect(told(await tus.ask('HEAD', path))).toEqual([200, '2']);
    expect(files.only.complete).toBe(true);
  });

  test('that is complete takes nothing more', async () => {
    const path = await create(0);
    expect(told(await patch(path, 0, ''))).toEqual([204, '0']);
    const { status, json } = await patch(path, 0, 'x');
    expect([status, json.code]).toEqual([409, 'UPLOAD_COMPLETE']);
  });

  test('that has expired, or never was, is not there', async () => {
    const path = await create(content.length);
    files.only.expiresAt = 1;
    for (const answer of [
      await tus.ask('HEAD', path),
      await patch(path, 0, 'x'),
      await tus.ask('HEAD', '/file_1'),
      await tus.ask('DELETE', '/file_1'),
    ]) {
      expect(answer.status).toBe(404);
    }
  });

  test('ends by DELETE', async () => {
    const path = await create(content.length);
    const { status, headers } = await tus.ask('DELETE', path);
    expect([status, headers.get('tus-resumable'), files.uploads.size]).toEqual([204, '1.0.0', 0]);
  });
});

describe('a piece', () => {
  test.each(['1', '', 'x'])('at the offset "%s" is refused, and the right one is told', async (offset) => {
    const path = await create(content.length);
    const { status, json } = await tus.ask('PATCH', path, { ...PIECE, 'upload-offset': offset }, 'x');
    if (offset !== '1') expect([status, fieldsOf(json)]).toEqual([400, ['Upload-Offset']]);
    else expect([status, json.code, json.facts]).toEqual([409, 'OFFSET_MISMATCH', { file_id: files.only.fileId, received: '0' }]);
  });

  test('of another media type, or of none, is refused', async () => {
    const path = await create(content.length);
    for (const type of ['application/octet-stream', 'x']) expect((await patch(path, 0, 'x', { 'content-type': type })).status).toBe(415);
  });

  test('that is longer than the file is refused, and the upload stays', async () => {
    const path = await create(3);
    const { status, json } = await patch(path, 0, 'abcd');
    expect([status, fieldsOf(json), sizeOf(files.only)]).toEqual([400, ['body'], 0]);
    expect(told(await patch(path, 0, 'abc'))).toEqual([204, '3']);
  });

  test('while another is being written is refused', async () => {
    const path = await create(content.length);
    files.only.busy = true;
    const { status, json } = await patch(path, 0, 'x');
    expect([status, json.code]).toEqual([409, 'UPLOAD_BUSY']);
  });

  test('whose client goes away is kept as far as it came', async () => {
    const path = await create(content.length);
    const sending = new SlowBody(fixture, 'PATCH', `/api/v1/uploads${path}`, { ...PIECE, 'upload-offset': '0', 'content-length': '2000' });
    await sending.write(content.subarray(0, 1500));
    await eventually(() => files.calls.some(({ method }) => method === 'uploadFile'), Boolean);
    sending.request.destroy();
    await eventually(
      () => sizeOf(files.only),
      (size) => size === 1500,
    );
    expect(told(await tus.ask('HEAD', path))).toEqual([200, '1500']);
    expect(told(await patch(path, 1500, content.subarray(1500)))).toEqual([204, String(content.length)]);
    expect(contentOf(files.only).equals(content)).toBe(true);
  });

  test('that does not go on is told in time, and kept as far as it came', async () => {
    const path = await create(content.length);
    const sending = new SlowBody(fixture, 'PATCH', `/api/v1/uploads${path}`, { ...PIECE, 'upload-offset': '0', 'content-length': '9' });
    await sending.write(Buffer.from('abc'));
    const { status, json } = await sending.answer();
    expect([status, json.code, sizeOf(files.only)]).toEqual([504, 'DEADLINE_EXCEEDED', 3]);
  });

  test('that the service refuses is told', async () => {
    const path = await create(content.length);
    files.beforeChunk = () => {
      throw new RuleError('STORE_FULL');
    };
    const { status, json } = await patch(path, 0, content);
    expect([status, json.code]).toEqual([507, 'STORE_FULL']);
  });
});

describe('the version', () => {
  test.each(['', '0.2.2'])('"%s" is refused, and the right one told', async (version) => {
    const { status, headers, json } = await tus.ask('POST', '', { 'tus-resumable': version, 'upload-length': '1' });
    expect([status, json.code, headers.get('tus-version')]).toEqual([412, 'UNSUPPORTED_TUS_VERSION', '1.0.0']);
    expect(headers.get('tus-resumable')).toBe('1.0.0');
  });

  test('is told in every answer', async () => {
    const answers = [await tus.ask('POST', '', { authorization: 'Bearer x' }), await tus.ask('GET', '/a'), await tus.ask('OPTIONS')];
    expect(answers.map(({ status, headers }) => [status, headers.get('tus-resumable')])).toEqual([
      [401, '1.0.0'],
      [404, '1.0.0'],
      [204, '1.0.0'],
    ]);
  });
});

describe('a POST in place of another method', () => {
  const over = (path: string, method: string, headers = {}, body = '') =>
    tus.ask('POST', path, { ...PIECE, 'x-http-method-override': method, ...headers }, body);

  test('is that method', async () => {
    const path = await create(3);
    expect(told(await over(path, 'PATCH', { 'upload-offset': '0' }, 'abc'))).toEqual([204, '3']);
    expect([(await over(path, 'DELETE')).status, files.uploads.size]).toEqual([204, 0]);
  });

  test.each(['GET', ''])('"%s" is none', async (method) => expect((await over('/file_1', method)).status).toBe(404));

  test('needs the scope', async () => {
    const { status } = await over('/file_1', 'DELETE', { authorization: `Bearer ${tokenFor('files.read')}` });
    expect(status).toBe(403);
  });
});
