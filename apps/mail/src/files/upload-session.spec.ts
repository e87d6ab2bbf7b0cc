import { createHash, randomBytes } from 'node:crypto';
import { eventually } from '../../../../test/eventually';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import type { FileStore, NewFile } from './file.store';
import type { ObjectStore, StoredObject } from './object.store';
import { OpenHashes } from './open-hashes';
import type { Upload } from './upload';
import { UploadSession } from './upload-session';
import type { Progress, UploadStore } from './upload.store';

const CHECKPOINT = 1000;

/** A fake of the object store: bytes in memory, what is under a checkpoint told apart from what is not. */
class MemoryObjects {
  readonly checkpointBytes = CHECKPOINT;
  written = Buffer.alloc(0);
  durable = 0;
  reads = 0;
  fails: Error | undefined;
  /** Holds a checkpoint back until it is called. */
  release: (() => void) | undefined;
  /** What a write waits for before it has taken anything. */
  writing: Promise<void> = Promise.resolve();

  open({ size }: StoredObject) {
    this.written = this.written.subarray(0, size);
    return Promise.resolve({
      write: async (data: Buffer) => {
        await this.writing;
        if (this.fails) throw this.fails;
        this.written = Buffer.concat([this.written, data]);
      },
      checkpoint: async () => {
        if (this.fails) throw this.fails;
        const bytes = this.written.length;
        if (this.release) await new Promise<void>((resolve) => (this.release = resolve));
        this.durable = bytes;
        return { bytes };
      },
      close: async () => undefined,
    });
  }

  seal = async ({ size }: StoredObject) => {
    expect(size).toBe(this.durable);
    return { sealed: true };
  };

  async *read(_: StoredObject, offset: number, length: number) {
    this.reads++;
    yield this.written.subarray(offset, offset + length);
  }
}

class MemoryUploads {
  kept: (Progress & { release: boolean })[] = [];
  renewals = 0;
  followed = false;
  dropped = false;

  keep = async (_tenant: string, _writer: string, progress: Progress, release: boolean) => {
    if (this.followed) throw new RuleError('UPLOAD_BUSY');
    this.kept.push({ ...progress, release });
  };
  renew = async () => {
    if (this.followed) throw new RuleError('UPLOAD_BUSY');
    this.renewals++;
  };
  away = 0;
  released = false;

  release = async () => {
    if (this.away-- > 0) throw new RuleError('DATABASE_UNAVAILABLE');
    this.released = true;
  };
  drop = async () => (this.dropped = true);
}

let objects: MemoryObjects;
let uploads: MemoryUploads;
let hashes: OpenHashes;
let files: NewFile[];

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  objects = new MemoryObjects();
  uploads = new MemoryUploads();
  hashes = new OpenHashes();
  files = [];
});
afterEach(() => jest.useRealTimers());

const upload = (size = 0): Upload => ({
  tenant: 'acme',
  id: 'u',
  filename: 'a',
  contentType: 'text/plain',
  totalSize: undefined,
  sha256: undefined,
  object: { id: 'u', size, state: {} },
  expiresAt: new Date(),
});

function open(size = 0, atomic = false): UploadSession {
  const complete = (file: NewFile) => Promise.resolve((files.push(file), file));
  const stores = { uploads: uploads as unknown as UploadStore, objects: objects as unknown as ObjectStore, hashes };
  return new UploadSession({ ...stores, files: { complete } as unknown as FileStore }, upload(size), 'writer', atomic);
}

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest();
const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test('checkpoints lie where they cost least, however the bytes come', async () => {
  const data = randomBytes(3500);
  const session = open();
  await session.write(data.subarray(0, 1700));
  await session.write(data.subarray(1700));
  await session.complete([sha256(data)]);
  expect(uploads.kept.map(({ object }) => object.size)).toEqual([1000, 2000, 3000, 3500]);
  expect(files[0]).toMatchObject({ size: 3500, sha256: sha256(data), object: { size: 3500, state: { sealed: true } } });
  expect(objects.reads).toBe(0);
});

test('receiving goes on beside a checkpoint, which is of what was there when it began', async () => {
  objects.release = () => undefined;
  const session = open();
  await session.write(Buffer.alloc(1200));
  await session.write(Buffer.alloc(300));
  expect(session.position).toBe(1500);
  expect(uploads.kept).toEqual([]);
  objects.release();
  await settle();
  expect(uploads.kept.map(({ object }) => [object.size, object.state.bytes])).toEqual([[1000, 1000]]);
});

test('slow bytes are under a checkpoint before long, and hold on to the claim', async () => {
  const session = open();
  await session.write(Buffer.from('slow'));
  jest.advanceTimersByTime(3000);
  await settle();
  expect(uploads.kept.map(({ object }) => object.size)).toEqual([4]);
  jest.advanceTimersByTime(30_000);
  await settle();
  // To whom nothing comes holds on to nothing.
  expect([uploads.kept.length, uploads.renewals]).toEqual([1, 0]);
  await session.leave();
});

test('of bytes that the store is still taking nothing is recorded, however long it takes; the claim is held', async () => {
  const session = open();
  await session.write(Buffer.from('taken'));
  let go: () => void = () => undefined;
  objects.writing = new Promise((resolve) => (go = resolve));
  const writing = session.write(Buffer.from('being taken'));
  for (let tick = 0; tick < 5; tick++) {
    jest.advanceTimersByTime(3000);
    await settle();
  }
  expect([uploads.kept, objects.durable]).toEqual([[], 0]);
  expect(uploads.renewals).toBeGreaterThan(3);
  go();
  await writing;
  await settle();
  expect(uploads.kept.map(({ object }) => [object.size, object.state.bytes])).toEqual([[16, 16]]);
  await session.leave();
});

test('one that was quiet for long asks for its claim before it writes a byte; where another followed it writes none', async () => {
  const session = open();
  await session.write(Buffer.from('first'));
  jest.advanceTimersByTime(60_000);
  await settle();
  uploads.followed = true;
  await expect(session.write(Buffer.from('late'))).rejects.toMatchObject({ reason: 'UPLOAD_BUSY' });
  expect(objects.written.toString()).toBe('first');
});

test('what was left is gone on with by its hash; where that is not known, by reading what is stored', async () => {
  const data = randomBytes(900);
  const first = open();
  await first.write(data.subarray(0, 400));
  expect(await first.keep()).toBe(400);
  const second = open(400);
  await second.write(data.subarray(400, 500));
  expect(await second.keep()).toBe(500);
  // As another process would.
  hashes = new OpenHashes();
  const third = open(500);
  await third.write(data.subarray(500));
  await third.complete([sha256(data)]);
  expect([objects.reads, files[0]!.sha256]).toEqual([1, sha256(data)]);
});

test('what is whole or not at all is recorded at its end alone, and leaves the hash of before', async () => {
  const data = randomBytes(3000);
  const first = open();
  await first.write(data.subarray(0, 500));
  await first.keep();
  const broken = open(500, true);
  await broken.write(Buffer.alloc(2000));
  jest.advanceTimersByTime(3000);
  await settle();
  expect([uploads.kept.length, uploads.renewals]).toEqual([1, 1]);
  await broken.leave();
  const again = open(500, true);
  await again.write(data.subarray(500));
  await again.complete([sha256(data)]);
  expect([objects.reads, files[0]!.sha256]).toEqual([0, sha256(data)]);
});

test('a store that fails keeps what was under a checkpoint, and forgets the hash of the rest', async () => {
  const session = open();
  await session.write(Buffer.alloc(1500));
  await settle();
  objects.fails = new RuleError('STORE_FULL');
  await expect(session.write(Buffer.alloc(600))).rejects.toMatchObject({ reason: 'STORE_FULL' });
  expect(await session.keep()).toBe(1000);
  expect(hashes.take('u', 1500)).toBeUndefined();
});

test('a database that is away for a moment keeps the next writer out for no longer', async () => {
  jest.useRealTimers();
  const session = open();
  await session.write(Buffer.from('x'));
  uploads.away = 2;
  await session.leave();
  expect(uploads.released).toBe(false);
  await eventually(
    () => uploads.released,
    (released) => released,
  );
});

test('a hash that is another is told before anything is sealed, with both', async () => {
  const session = open();
  await session.write(Buffer.from('x'));
  objects.seal = () => Promise.reject(new Error('sealed'));
  const [found, given] = [sha256(Buffer.from('x')).toString('hex'), 'ab'.repeat(32)];
  await expect(session.complete([undefined, Buffer.from(given, 'hex')])).rejects.toMatchObject({
    reason: 'DIGEST_MISMATCH',
    message: `sha256: is ${found} of what arrived, not ${given}`,
  });
});
