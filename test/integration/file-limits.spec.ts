import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { UploadStatus } from '@sky-genesis/proto';
import { eventually } from '../eventually';
import { FileClient, sha256 } from './file-client';
import { filesFolderOf, TestSystem, token } from './test-system';

const QUOTA = 1_000_000;

let system: TestSystem;
let files: FileClient;

beforeAll(async () => {
  system = await TestSystem.start({
    FILES_MAX_BYTES_PER_TENANT: String(QUOTA),
    FILES_MAX_UPLOADS_PER_TENANT: '3',
    FILES_UPLOAD_EXPIRY_SECONDS: '3',
    GRPC_STREAM_IDLE_TIMEOUT: '1',
  });
}, 60_000);
afterAll(() => system?.stop());
beforeEach(() => (files = new FileClient(system.grpcUrl)));
afterEach(async () => {
  files.close();
  for (const { id } of await system.database.query<{ id: string }>('select id from file union all select id from upload')) await remove(id);
  await eventually(objects, (found) => found.length === 0);
});

const create = (over: object = {}) => system.grpc<UploadStatus>('createUpload', over, { service: 'files' });
const remove = (fileId: string) => system.grpc('deleteFile', { fileId }, { service: 'files' });
const progress = (fileId: string) => system.grpc<UploadStatus>('getUpload', { fileId }, { service: 'files' });
const used = async () => Number((await system.database.query<{ bytes: string }>('select bytes from file_usage'))[0]?.bytes ?? 0);

/** What there is in the folder, whatever the tables say. */
function objects(): string[] {
  const folder = filesFolderOf(system.database);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'store-id')
    .map(({ parentPath, name }) => join(parentPath, name));
}

describe('what a tenant may have', () => {
  const full = (text: string) => ({ reason: 'FILE_QUOTA_EXCEEDED', code: 'RESOURCE_EXHAUSTED', message: expect.stringContaining(text) });

  test('what is announced is kept free for it, and told when it does not fit', async () => {
    const { fileId } = await create({ totalSize: '600000' });
    expect(await system.grpcError('createUpload', { totalSize: '400001' }, { service: 'files' })).toMatchObject(
      full('400001 bytes are wanted, and the tenant has 600000 of 1000000'),
    );
    await create({ totalSize: '400000' });
    await remove(fileId);
    await files.upload(randomBytes(600_000));
    expect(await used()).toBe(QUOTA);
  });

  test('what was not announced is counted as it comes, and nothing of it becomes a file', async () => {
    const upload = files.begin();
    await upload.send({ data: Buffer.alloc(900_000) });
    await upload.send({ offset: '900000', data: Buffer.alloc(100_001), last: true });
    expect(await upload.error()).toMatchObject(full('1000001 bytes are wanted'));
    expect(await used()).toBeLessThanOrEqual(QUOTA);
    expect(await system.database.query('select from file')).toEqual([]);
  });

  test('the same content counts once', async () => {
    const data = randomBytes(500_000);
    const { fileId } = await files.upload(data);
    const { fileId: second } = await files.upload(data);
    expect(await used()).toBe(500_000);
    await remove(fileId);
    expect(await used()).toBe(500_000);
    await remove(second);
    expect(await used()).toBe(0);
  });

  test('another tenant has its own', async () => {
    await create({ totalSize: String(QUOTA) });
    const other = token({ tenant: 'other' });
    const { fileId } = await system.grpc<UploadStatus>('createUpload', { totalSize: '5' }, { service: 'files', token: other });
    await system.grpc('deleteFile', { fileId }, { service: 'files', token: other });
  });

  test('uploads that are not complete are bounded', async () => {
    for (let i = 0; i < 3; i++) await create();
    expect(await system.grpcError('createUpload', {}, { service: 'files' })).toMatchObject(full('3 unfinished uploads, of 3'));
  });
});

describe('time', () => {
  const data = randomBytes(300_000);

  test('an upload that is left expires, with what it occupies; one that goes on does not', async () => {
    const left = files.begin();
    await left.send({ data });
    await left.end().catch(() => undefined);
    const fileId = await left.fileId;
    expect(objects()).toHaveLength(1);
    const { expiresAt } = await progress(fileId);
    expect(Number(expiresAt) - Date.now() / 1000).toBeLessThanOrEqual(4);
    await eventually(
      () => progress(fileId).catch((error: unknown) => error),
      (answer) => (answer as { reason?: string }).reason === 'FILE_NOT_FOUND',
    );
    await expect(files.upload(data, { fileId, offset: String(data.length) })).rejects.toMatchObject({ reason: 'FILE_NOT_FOUND' });
    await eventually(objects, (found) => found.length === 0);
    expect(await system.database.query('select from upload union all select from discarded_object')).toEqual([]);
    expect(await used()).toBe(0);
  });

  test('a stream without a message is ended, and says from where to go on', async () => {
    const upload = files.begin();
    await upload.send({ data });
    expect(await upload.error()).toMatchObject({
      reason: 'DEADLINE_EXCEEDED',
      message: 'no message within 1 s (GRPC_STREAM_IDLE_TIMEOUT)',
      details: { facts: { file_id: await upload.fileId, received: '300000' } },
    });
  });

  test('a deadline of its own ends a stream; what arrived is kept', async () => {
    const upload = files.begin({ deadline: Date.now() + 500 });
    await upload.send({ data });
    const fileId = await upload.fileId;
    expect(await upload.error()).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await eventually(
      () => progress(fileId),
      ({ received }) => received === '300000',
    );
  });

  test('a stream ends with the token, and is gone on with by another', async () => {
    const shortLived = new FileClient(system.grpcUrl, token({}, 2));
    const upload = shortLived.begin();
    await upload.send({ data: data.subarray(0, 1000) });
    const fileId = await upload.fileId;
    let at = 1000;
    const sending = setInterval(() => void upload.send({ offset: String(at), data: data.subarray(at, (at += 1000)) }), 100);
    const error = await upload.error().finally(() => clearInterval(sending));
    expect(error).toMatchObject({ reason: 'UNAUTHENTICATED', details: { facts: { file_id: fileId } } });
    shortLived.close();
    const received = error.details.facts!.received!;
    expect(await files.upload(data, { fileId, offset: received })).toMatchObject({ sha256: sha256(data) });
  });
});
