import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { File, UploadStatus } from '@sky-genesis/proto';
import { eventually } from '../eventually';
import { FileClient, sha256 } from './file-client';
import { TestSystem, token } from './test-system';

let system: TestSystem;
let files: FileClient;

beforeAll(async () => {
  system = await TestSystem.start({ GRPC_STREAMS_PER_TENANT: '100', FILES_MAX_BYTES: '20000000' });
  files = new FileClient(system.grpcUrl);
}, 60_000);
afterAll(async () => {
  files?.close();
  await system?.stop();
});

const progress = (fileId: string) => system.grpc<UploadStatus>('getUpload', { fileId }, { service: 'files' });
const file = (fileId: string) => system.grpc<File>('getFile', { fileId }, { service: 'files' });
const create = (over: object = {}) => system.grpc<UploadStatus>('createUpload', { filename: 'a.bin', ...over }, { service: 'files' });
const received = async (fileId: string) => Number((await progress(fileId)).received);

describe('whole files', () => {
  test('60 at a time, in chunks of random sizes at random times, behind authentication: every byte in its place', async () => {
    const one = async (i: number) => {
      const data = randomBytes(randomInt(1, 400_000));
      const client = new FileClient(system.grpcUrl);
      try {
        const upload = client.begin();
        for (let at = 0; at < data.length;) {
          const piece = data.subarray(at, at + randomInt(1, 20_000));
          const last = at + piece.length === data.length;
          void upload.send({ ...(at === 0 && { filename: `${i}.bin` }), offset: String(at), data: piece, last });
          at += piece.length;
          if (randomInt(10) === 0) await sleep(randomInt(20));
        }
        const answer = await upload.end();
        expect(answer).toEqual({ fileId: expect.stringMatching(/^file_/), size: String(data.length), sha256: sha256(data) });
        const { data: back } = await client.download({ fileId: answer.fileId });
        return back.equals(data);
      } finally {
        client.close();
      }
    };
    expect(await Promise.all(Array.from({ length: 60 }, (_, i) => one(i)))).toEqual(Array<boolean>(60).fill(true));
  }, 60_000);

  test.each([0, 1, 262_143, 262_144, 262_145, 1_048_576, 3_000_001])('%i bytes', async (size) => {
    const data = randomBytes(size);
    const { fileId, sha256: hash } = await files.upload(data, { filename: 'Grüße.bin', contentType: 'image/png' }, 1_048_576);
    const { header, data: back, chunks } = await files.download({ fileId });
    expect(back.equals(data)).toBe(true);
    expect(header).toMatchObject({
      fileId,
      filename: 'Grüße.bin',
      contentType: 'image/png',
      totalSize: String(size),
      sha256: hash,
      offset: '0',
    });
    expect(chunks.map(({ last }) => last)).toEqual([...Array<boolean>(chunks.length - 1).fill(false), true]);
    expect(await file(fileId)).toEqual({
      fileId,
      filename: 'Grüße.bin',
      contentType: 'image/png',
      size: String(size),
      sha256: sha256(data),
      createdAt: expect.stringMatching(/^\d{10}$/),
    });
    expect(await progress(fileId)).toMatchObject({ received: String(size), complete: true, totalSize: String(size), expiresAt: '0' });
  });

  test('the same content is stored once, and stays until the last of its files goes', async () => {
    const data = randomBytes(10_000);
    const [one, two] = [await files.upload(data), await files.upload(data)];
    const contents = () => system.database.query(`select from content where sha256 = '\\x${sha256(data)}'`);
    expect(await contents()).toHaveLength(1);
    const remove = (fileId: string) => system.grpc('deleteFile', { fileId }, { service: 'files' });
    expect(await remove(one.fileId)).toEqual({ deleted: true });
    expect((await files.download({ fileId: two.fileId })).data.equals(data)).toBe(true);
    expect(await remove(two.fileId)).toEqual({ deleted: true });
    expect(await contents()).toHaveLength(0);
    expect(await remove(two.fileId)).toEqual({ deleted: false });
    await expect(files.download({ fileId: two.fileId })).rejects.toMatchObject({ reason: 'FILE_NOT_FOUND' });
  });

  test('another tenant has the same content by itself', async () => {
    const data = randomBytes(5000);
    await files.upload(data);
    const other = new FileClient(system.grpcUrl, token({ tenant: 'other' }));
    await other.upload(data);
    other.close();
    expect(await system.database.query(`select from content where sha256 = '\\x${sha256(data)}'`)).toHaveLength(2);
  });
});

describe('an upload that is left', () => {
  const data = randomBytes(900_000);

  test('goes on from what arrived, however often, and has the hash of all of it', async () => {
    const { fileId, received: none } = await create({ totalSize: data.length, sha256: sha256(data) });
    expect(none).toBe('0');
    for (let at = 0; at < 800_000; at = await received(fileId)) {
      const upload = files.begin();
      await upload.send({ fileId, offset: String(at), data: data.subarray(at, at + 100_000) });
      // Ended in order, without its last chunk.
      expect(await upload.end().catch((error: unknown) => error)).toMatchObject({
        reason: 'UPLOAD_INCOMPLETE',
        details: { facts: { file_id: fileId, received: String(at + 100_000) } },
      });
    }
    const answer = await files.upload(data, { fileId, offset: '800000' });
    expect(answer).toEqual({ fileId, size: '900000', sha256: sha256(data) });
    expect((await files.download({ fileId })).data.equals(data)).toBe(true);
  });

  test('a cancelled stream is no file: what arrived is kept', async () => {
    const upload = files.begin();
    await upload.send({ filename: 'b', data: data.subarray(0, 300_000) });
    const fileId = await upload.fileId;
    await upload.send({ offset: '300000', data: data.subarray(300_000, 600_000) });
    upload.cancel();
    expect(await upload.error()).toMatchObject({ code: 'CANCELLED' });
    const kept = await eventually(
      () => received(fileId),
      (bytes) => bytes > 0,
    );
    await expect(file(fileId)).rejects.toMatchObject({ reason: 'FILE_NOT_FOUND' });
    await expect(files.download({ fileId })).rejects.toMatchObject({ reason: 'FILE_NOT_FOUND' });
    const answer = await files.upload(data, { fileId, offset: String(kept) });
    expect(answer).toEqual({ fileId, size: '900000', sha256: sha256(data) });
  });

  test('who did not hear the answer sends the last chunk again', async () => {
    const { fileId } = await files.upload(data);
    const again = async (chunk: object) => {
      const upload = files.begin();
      await upload.send({ fileId, offset: '900000', last: true, ...chunk });
      return upload.end().catch((error: unknown) => error);
    };
    expect(await again({})).toEqual({ fileId, size: '900000', sha256: sha256(data) });
    expect(await again({ sha256: sha256(data) })).toEqual({ fileId, size: '900000', sha256: sha256(data) });
    expect(await again({ data: Buffer.from('x') })).toMatchObject({ reason: 'UPLOAD_COMPLETE' });
    expect(await again({ last: false })).toMatchObject({ reason: 'UPLOAD_COMPLETE' });
    expect(await again({ sha256: '0'.repeat(64) })).toMatchObject({ reason: 'UPLOAD_COMPLETE' });
  });

  test('of two writers one wins, and the other is told', async () => {
    const { fileId } = await create();
    const one = files.begin();
    await one.send({ fileId, data: data.subarray(0, 1000) });
    await one.fileId;
    const two = files.begin();
    await two.send({ fileId, data: data.subarray(0, 1000) });
    expect(await two.error()).toMatchObject({ reason: 'UPLOAD_BUSY', code: 'ABORTED', details: { retryAfterSeconds: 1 } });
    await one.send({ offset: '1000', data: data.subarray(1000, 2000), last: true });
    expect(await one.end()).toEqual({ fileId, size: '2000', sha256: sha256(data.subarray(0, 2000)) });
  });

  test('a stream that is to be kept whole or not at all', async () => {
    const { fileId } = await create();
    const whole = files.begin();
    await whole.send({ fileId, data: data.subarray(0, 1000), atomic: true });
    await whole.end().catch(() => undefined);
    expect(await received(fileId)).toBe(1000);
    const broken = files.begin();
    await broken.send({ fileId, offset: '1000', data: Buffer.alloc(5000, 'wrong'), atomic: true });
    await broken.fileId;
    broken.cancel();
    await broken.error();
    await eventually(
      () => system.database.query('select from upload where writer is not null'),
      (rows) => rows.length === 0,
    );
    expect(await received(fileId)).toBe(1000);
    expect(await files.upload(data, { fileId, offset: '1000' })).toEqual({ fileId, size: '900000', sha256: sha256(data) });
    expect((await files.download({ fileId })).data.equals(data)).toBe(true);
  });

  test('its owner may end it, while it is written, too', async () => {
    const upload = files.begin();
    await upload.send({ data: data.subarray(0, 1000) });
    const fileId = await upload.fileId;
    expect(await system.grpc('deleteFile', { fileId }, { service: 'files' })).toEqual({ deleted: true });
    await upload.send({ offset: '1000', last: true });
    expect(await upload.end().catch((error: unknown) => error)).toMatchObject({ reason: 'UPLOAD_BUSY' });
    await expect(progress(fileId)).rejects.toMatchObject({ reason: 'FILE_NOT_FOUND' });
  });
});

describe('what does not fit', () => {
  const data = Buffer.from('0123456789');
  const attempt = async (...chunks: object[]) => {
    const before = await counts();
    const upload = files.begin();
    for (const chunk of chunks) await upload.send(chunk);
    const error = (await upload.end().catch((failure: unknown) => failure)) as { reason: string; message: string; details: object };
    return { error, stored: (await counts()).map((count, i) => count - before[i]!) };
  };
  const counts = async () => {
    const [row] = await system.database.query<{ counts: number[] }>(
      `select array[(select count(*) from upload), (select count(*) from file), (select count(*) from content)]::integer[] as counts`,
    );
    return row!.counts;
  };
  const nothing = [0, 0, 0];

  test.each<[string, string, string, object[], number[]]>([
    ['a gap', 'OFFSET_MISMATCH', 'offset: is 11, and 10 bytes came before it', [{ data }, { offset: '11', data }], [1, 0, 0]],
    ['an overlap', 'OFFSET_MISMATCH', 'offset: is 9, and 10 bytes came before it', [{ data }, { offset: '9', data }], [1, 0, 0]],
    ['a beginning that is none', 'OFFSET_MISMATCH', 'offset: is 5, and 0 bytes came before it', [{ offset: '5', data }], nothing],
    [
      'more than announced',
      'SIZE_MISMATCH',
      'total_size: is 15, and 20 bytes arrived',
      [
        { totalSize: '15', data },
        { offset: '10', data, last: true },
      ],
      nothing,
    ],
    ['less than announced', 'SIZE_MISMATCH', 'total_size: is 15, and 10 bytes arrived', [{ totalSize: '15', data, last: true }], nothing],
    [
      'two sizes',
      'SIZE_MISMATCH',
      'total_size: is 16, and was 15 before',
      [
        { totalSize: '15', data },
        { totalSize: '16', offset: '10' },
      ],
      nothing,
    ],
    [
      'another hash',
      'DIGEST_MISMATCH',
      `sha256: is ${sha256(data)} of what arrived, not ${'ab'.repeat(32)}`,
      [{ data, last: true, sha256: 'ab'.repeat(32) }],
      nothing,
    ],
    [
      'too large a file, as announced',
      'FILE_TOO_LARGE',
      'total_size: 20000001 bytes are more than the 20000000',
      [{ totalSize: '20000001', data }],
      nothing,
    ],
    [
      'too large a chunk',
      'INVALID_ARGUMENT',
      'data: must be at most 1048576 bytes, not 1048577',
      [{ data: Buffer.alloc(1_048_577) }],
      nothing,
    ],
    ['empty chunks', 'INVALID_ARGUMENT', 'data: may be empty in the first and the last chunk only', [{}, {}, {}], nothing],
    ['no chunk at all', 'INVALID_ARGUMENT', 'data: a stream must have at least one chunk', [], nothing],
    [
      'a path',
      'INVALID_ARGUMENT',
      'filename: must not contain / or \\ or control characters',
      [{ filename: '../../etc/passwd', data }],
      nothing,
    ],
    ['NUL in a name', 'INVALID_ARGUMENT', 'filename: must not contain', [{ filename: 'a\0b', data }], nothing],
    ['CRLF in a name', 'INVALID_ARGUMENT', 'filename: must not contain', [{ filename: 'a\r\nX: y', data }], nothing],
    [
      'a name of 10,000 characters',
      'INVALID_ARGUMENT',
      'filename: must be at most 255 characters',
      [{ filename: 'x'.repeat(10_000), data }],
      nothing,
    ],
    ['a type that is none', 'INVALID_ARGUMENT', 'content_type: must be a media type', [{ contentType: 'text', data }], nothing],
    ['a hash that is none', 'INVALID_ARGUMENT', 'sha256: must be 64 hexadecimal digits', [{ sha256: 'abc', data }], nothing],
    ['a negative offset', 'INVALID_ARGUMENT', 'offset: must be a number of bytes', [{ offset: '-1', data }], nothing],
    [
      'a size beyond int64 of JSON',
      'INVALID_ARGUMENT',
      'total_size: must be a number of bytes',
      [{ totalSize: '9007199254740993', data }],
      nothing,
    ],
    ['an id that is none', 'FILE_NOT_FOUND', '', [{ fileId: 'file_x', data }], nothing],
    ['an id that nobody has', 'FILE_NOT_FOUND', '', [{ fileId: 'file_0190a0b0-0000-7000-8000-000000000001', data }], nothing],
  ])('%s', async (_, reason, message, chunks, stored) => {
    const attempted = await attempt(...chunks);
    expect(attempted.error).toMatchObject({ reason, message: expect.stringContaining(message) });
    expect(attempted.stored).toEqual(stored);
  });

  test('a file larger than any may be, not announced', async () => {
    const before = await counts();
    const upload = files.begin();
    for (let i = 0; i < 20; i++) await upload.send({ offset: String(i * 1_048_576), data: Buffer.alloc(1_048_576) });
    expect(await upload.error()).toMatchObject({
      reason: 'FILE_TOO_LARGE',
      message: expect.stringContaining('20971520 bytes are more than the 20000000'),
    });
    expect(await counts()).toEqual(before);
  });

  test('what another tenant has is not there, whatever is asked of it', async () => {
    const mine = await files.upload(data);
    const { fileId: unfinished } = await create();
    const other = token({ tenant: 'other' });
    const stranger = new FileClient(system.grpcUrl, other);
    const notFound = expect.objectContaining({ reason: 'FILE_NOT_FOUND' });
    for (const fileId of [mine.fileId, unfinished]) {
      for (const method of ['getFile', 'getUpload'])
        expect(await system.grpcError(method, { fileId }, { service: 'files', token: other })).toEqual(notFound);
      expect(await system.grpc('deleteFile', { fileId }, { service: 'files', token: other })).toEqual({ deleted: false });
      await expect(stranger.download({ fileId })).rejects.toEqual(notFound);
      await expect(stranger.upload(data, { fileId })).rejects.toEqual(notFound);
    }
    stranger.close();
    expect((await files.download({ fileId: mine.fileId })).data.equals(data)).toBe(true);
  });

  test('a token without the scope', async () => {
    const reader = new FileClient(system.grpcUrl, token({ scope: 'files.read' }));
    await expect(reader.upload(data)).rejects.toMatchObject({ reason: 'SCOPE_MISSING' });
    const writer = new FileClient(system.grpcUrl, token({ scope: 'files.write' }));
    await expect(writer.download({ fileId: 'file_x' })).rejects.toMatchObject({ reason: 'SCOPE_MISSING' });
    [reader, writer].forEach((client) => client.close());
  });
});

describe('a part of a file', () => {
  const data = randomBytes(1_000_000);
  let fileId: string;
  beforeAll(async () => void ({ fileId } = await files.upload(data)));

  test.each([
    [0, 1],
    [999_999, 1],
    [1, 999_998],
    [262_144, 262_144],
    [500_000, 0],
    [999_990, 1000],
    [0, Number.MAX_SAFE_INTEGER],
    [1_000_000, 0],
  ])('from %i, %i bytes', async (offset, length) => {
    const { header, data: part } = await files.download({ fileId, offset, length });
    expect(part.equals(data.subarray(offset, length === 0 ? undefined : offset + length))).toBe(true);
    expect(header).toMatchObject({ offset: String(offset), totalSize: '1000000', sha256: sha256(data) });
  });

  test.each<[string, object, object]>([
    [
      'beyond the end',
      { offset: 1_000_001 },
      { reason: 'RANGE_NOT_SATISFIABLE', code: 'OUT_OF_RANGE', details: { facts: { size: '1000000' } } },
    ],
    ['before the beginning', { offset: -1 }, { reason: 'INVALID_ARGUMENT' }],
    ['of a negative length', { length: -1 }, { reason: 'INVALID_ARGUMENT' }],
    ['beyond int64 of JSON', { offset: '9007199254740993' }, { reason: 'INVALID_ARGUMENT' }],
    ['with two sources', { messageId: 'msg_x' }, { reason: 'INVALID_ARGUMENT' }],
    ['with an index of nothing', { attachmentIndex: 1 }, { reason: 'INVALID_ARGUMENT' }],
  ])('%s', async (_, over, error) => {
    await expect(files.download({ fileId, ...over })).rejects.toMatchObject(error);
  });
});
