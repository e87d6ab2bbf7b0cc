import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asKept, bytes, expectSame, newObject, piecesOf, reasonOf, StoreUnderTest } from '../../../testing/store-under-test';
import { SmallDisk } from '../../../../../test/faults/full-disk';
import { LocalObjectWriter } from './local-object.writer';
import { LocalObjectStore } from './local.object-store';
import { LocalStoreIdentity } from './local-store.identity';

const root = mkdtempSync(join(tmpdir(), 'sge-local-'));
let folder: string;
let store: LocalObjectStore;
const subject = new StoreUnderTest();

beforeEach(async () => {
  folder = join(root, randomUUID());
  await new LocalStoreIdentity(folder).established();
  store = new LocalObjectStore(folder);
  await subject.begin(async () => ({ store, another: () => store, leftOf: async () => [], close: async () => undefined }));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the folder', () => {
  test('holds nothing but its id until the first object', () => {
    expect(readdirSync(folder)).toEqual(['store-id']);
  });

  test('is for its owner only, and spread over folders by the end of the ids', async () => {
    const object = await subject.kept(bytes(10));
    const path = join(folder, 'objects', object.id.slice(-2), object.id);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const name of ['.', 'incoming', 'objects', `objects/${object.id.slice(-2)}`]) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o700);
    }
  });

  test.each(['../../etc/passwd', 'ABCDEF00-0000-4000-8000-000000000000', ''])('%j is no id of an object', async (id) => {
    for (const work of [store.open({ ...newObject(), id }), store.remove({ id })]) {
      expect(await reasonOf(work)).toBe('Error: the id of an object is no UUID');
    }
  });

  test.each(['is not there', 'is empty'])('of a disk that is not mounted %s: no loss, and nothing is written beside it', async (what) => {
    const object = await subject.kept(bytes(10));
    const unfinished = await subject.append(newObject(), [bytes(10)]);
    renameSync(folder, `${folder}-away`);
    if (what === 'is empty') mkdirSync(folder);
    for (const work of [
      () => subject.read(object),
      () => store.open(unfinished),
      () => store.open(newObject()),
      () => store.seal(unfinished),
      () => store.remove(object),
    ]) {
      expect(await reasonOf(work())).toBe('STORE_UNAVAILABLE');
    }
    expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
    rmSync(folder, { recursive: true, force: true });
    renameSync(`${folder}-away`, folder);
    await subject.read(object);
  });

  test('a backup without empty folders is as good', async () => {
    const object = await subject.kept(bytes(10));
    rmdirSync(join(folder, 'incoming'));
    await subject.read(object);
    await store.seal(object);
    await subject.kept(bytes(10));
  });

  test('a file that lost its end is lost', async () => {
    const object = await subject.append(newObject(), [bytes(1000)]);
    truncateSync(join(folder, 'incoming', object.id), 999);
    expect(await reasonOf(store.open(object))).toBe('CONTENT_LOST');
    expect(await reasonOf(store.seal(object))).toBe('CONTENT_LOST');
  });
});

describe('a disk that is full', () => {
  test('is told by the write, or at the latest by the checkpoint, and by every call from then on', async () => {
    // /dev/full is a real file that the system itself refuses every byte for.
    const writer = new LocalObjectWriter(await open('/dev/full', 'r+'), 0, folder);
    const first = await reasonOf(writer.write(bytes(10)));
    expect(first).toBeUndefined();
    expect(await reasonOf(writer.write(bytes(10)))).toBe('STORE_FULL');
    expect(await reasonOf(writer.write(bytes(10)))).toBe('STORE_FULL');
    expect(await reasonOf(writer.checkpoint())).toBe('STORE_FULL');
    await writer.close();
  });

  test('keeps what is under the checkpoint, and goes on when there is room', async () => {
    const disk = SmallDisk.mounted(join(root, 'disk'), 24);
    if (!disk) return console.warn('LEFT OUT: no file system can be mounted here');
    try {
      await new LocalStoreIdentity(join(disk.folder, 'files')).established();
      const small = new LocalObjectStore(join(disk.folder, 'files'));
      const content = bytes(4_000_000);
      let object = await subject.append(newObject(), [content.subarray(0, 1_000_000)], small);

      disk.fill();
      const full = subject.append(object, piecesOf(content.subarray(1_000_000), 100_000), small);
      const error = await full.catch((reason: unknown) => reason as Error);
      expect(error).toMatchObject({ reason: 'STORE_FULL', cause: { code: 'ENOSPC' } });
      expect((error as Error).message).not.toContain(disk.folder);

      disk.relieve();
      object = await subject.append(object, piecesOf(content.subarray(1_000_000), 100_000), small);
      object = await subject.sealed(object, small);
      expectSame(await subject.read(object, 0, content.length, small), content);
    } finally {
      disk.unmount();
    }
  });
});

describe('a disk that fails', () => {
  /** A fake of the one thing that no real disk here does: to fail in the middle. */
  const failing = (what: 'write' | 'datasync', code: string) =>
    ({
      write: async (data: Buffer) => (what === 'write' ? fail(code) : { bytesWritten: data.length }),
      datasync: async () => (what === 'datasync' ? fail(code) : undefined),
      close: async () => undefined,
    }) as unknown as FileHandle;
  const fail = (code: string): never => {
    throw Object.assign(new Error(`${code}: /secret/path`), { code });
  };

  test.each(['EIO', 'EROFS', 'EACCES'])('%s: unavailable for now', async (code) => {
    const writer = new LocalObjectWriter(failing('write', code), 0, folder);
    await writer.write(bytes(1));
    const error = await writer.checkpoint().catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ reason: 'STORE_UNAVAILABLE', details: { retryAfterSeconds: 5 }, cause: { code } });
    expect((error as Error).message).not.toContain('secret');
    await writer.close();
  });

  test('after a checkpoint that failed there is no other: the system may have forgotten what it could not write', async () => {
    const writer = new LocalObjectWriter(failing('datasync', 'EIO'), 0, folder);
    await writer.write(bytes(1));
    expect(await reasonOf(writer.checkpoint())).toBe('STORE_UNAVAILABLE');
    expect(await reasonOf(writer.write(bytes(1)))).toBe('STORE_UNAVAILABLE');
    expect(await reasonOf(writer.checkpoint())).toBe('STORE_UNAVAILABLE');
    await writer.close();
  });

  test('EDQUOT is full', async () => {
    const writer = new LocalObjectWriter(failing('write', 'EDQUOT'), 0, folder);
    await writer.write(bytes(1));
    expect(await reasonOf(writer.checkpoint())).toBe('STORE_FULL');
    await writer.close();
  });
});

test('a short write is gone on with', async () => {
  const path = join(folder, 'short');
  const file = await open(path, 'wx+');
  const whole = file.write.bind(file) as unknown as (data: Buffer, offset: number, length: number, position: number) => Promise<object>;
  file.write = ((data: Buffer, offset: number, length: number, position: number) =>
    whole(data, offset, Math.min(length, 7), position)) as never;
  const content = bytes(100);
  const writer = new LocalObjectWriter(file, 0, folder);
  await writer.write(Buffer.from(content));
  expect(asKept(await writer.checkpoint())).toEqual({});
  await writer.close();
  const reading = await open(path, 'r');
  expectSame(await reading.readFile(), content);
  await reading.close();
});
