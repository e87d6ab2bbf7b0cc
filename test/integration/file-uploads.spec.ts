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
    await whole.send({ fileId, data: data.subarray(0, 600), atomic: true });
    await whole.send({ offset: '600', data: data.subarray(600, 1000), commit: true });
    await whole.end().catch(() => undefined);
    expect(await received(fileId)).toBe(1000);
    // A stream that is cancelled may look like one that has ended.
    const ended = files.begin();
    await ended.send({ fileId, offset: '1000', data: Buffer.alloc(5000, 'wrong'), atomic: true });
    expect(await ended.end().catch((error: unknown) => error)).toMatchObject({
      reason: 'UPLOAD_INCOMPLETE',
      details: { facts: { received: '1000' } },
    });
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
