import type { UploadStatus } from '@sky-genesis/proto';
import { FileClient, sha256 } from './file-client';
import { TestSystem, token } from './test-system';

let system: TestSystem;
let files: FileClient;

beforeAll(async () => {
  system = await TestSystem.start({ FILES_MAX_BYTES: '20000000' });
  files = new FileClient(system.grpcUrl);
}, 60_000);
afterAll(async () => {
  files?.close();
  await system?.stop();
});

const create = () => system.grpc<UploadStatus>('createUpload', { filename: 'a.bin' }, { service: 'files' });

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
        { totalSize: '16', offset: '10', data },
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
    [
      'empty chunks',
      'INVALID_ARGUMENT',
      'data: may be empty in the first chunk, the last and one that commits only',
      [{}, {}, {}],
      nothing,
    ],
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
