import { randomBytes } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type PreviousUpload, Upload, type UploadOptions, type UrlStorage } from 'tus-js-client';
import { contentOf } from '../../../testing/fake-files.service';
import { GatewayFixture, tokenFor } from '../../../testing/gateway.fixture';

const MEGABYTE = 1_048_576;
const fixture = new GatewayFixture();
const { files } = fixture;
const content = randomBytes(4 * MEGABYTE + 3);
beforeAll(() => fixture.start());
afterAll(() => fixture.stop());
beforeEach(() => files.reset());

/** Keeps where uploads are, as a browser does. */
class Storage implements UrlStorage {
  private readonly kept = new Map<string, PreviousUpload>();
  findAllUploads = async () => [...this.kept.values()];
  findUploadsByFingerprint = async () => [...this.kept.values()];
  removeUpload = async (key: string) => void this.kept.delete(key);
  addUpload = async (fingerprint: string, upload: PreviousUpload) => {
    const key = `${fingerprint}/${this.kept.size}`;
    this.kept.set(key, { ...upload, urlStorageKey: key });
    return key;
  };
}

const optionsFor = (more: UploadOptions = {}): UploadOptions => ({
  endpoint: `${fixture.url}/api/v1/uploads`,
  headers: { authorization: `Bearer ${tokenFor()}` },
  metadata: { filename: 'ü.bin', filetype: 'application/x-test' },
  retryDelays: [0, 20, 100],
  ...more,
});
function run(more: UploadOptions = {}, bytes = content): { upload: Upload; done: Promise<void> } {
  let upload!: Upload;
  const done = new Promise<void>((resolve, reject) => {
    upload = new Upload(bytes, optionsFor({ ...more, onSuccess: () => resolve(), onError: reject }));
  });
  return { upload, done };
}
function expectStored(bytes = content): void {
  expect(files.only).toMatchObject({ complete: true, filename: 'ü.bin', contentType: 'application/x-test' });
  expect(contentOf(files.only).equals(bytes)).toBe(true);
}

test.each<[string, UploadOptions]>([
  ['at once', {}],
  ['in pieces', { chunkSize: MEGABYTE }],
  ['with its creation', { uploadDataDuringCreation: true }],
  ['in pieces, the first with its creation', { uploadDataDuringCreation: true, chunkSize: 500_000 }],
  ['by POST alone', { overridePatchMethod: true }],
])('it uploads %s', async (_, options) => {
  const { upload, done } = run(options);
  upload.start();
  await done;
  expectStored();
  expect(upload.url).toBe(`${fixture.url}/api/v1/uploads/${files.only.fileId}`);
});

test('it uploads nothing', async () => {
  const { upload, done } = run({}, Buffer.alloc(0));
  upload.start();
  await done;
  expectStored(Buffer.alloc(0));
});

test('it uploads what has no known length', async () => {
  const { Readable } = await import('node:stream');
  await new Promise<void>((resolve, reject) => {
    const source = Readable.from([content.subarray(0, 2 * MEGABYTE), content.subarray(2 * MEGABYTE)], { objectMode: false });
    const options = { uploadLengthDeferred: true, chunkSize: MEGABYTE, onSuccess: () => resolve(), onError: reject };
    new Upload(source as never, optionsFor(options)).start();
  });
  expectStored();
});

test('it goes on after it was aborted, with what was sent before', async () => {
  const urlStorage = new Storage();
  const options = { urlStorage, chunkSize: MEGABYTE, fingerprint: async () => 'same' };
  const first = run({ ...options, onChunkComplete: () => void first.upload.abort() });
  first.upload.start();
  const { chunks } = files;
  const { eventually } = await import('../../../../../test/eventually');
  await eventually(() => files.uploads.size === 1 && !files.only.busy && files.only.pieces.length > 0, Boolean);
  expect(files.only.complete).toBe(false);
  const second = run(options);
  const [previous] = await second.upload.findPreviousUploads();
  second.upload.resumeFromPreviousUpload(previous!);
  second.upload.start();
  await second.done;
  expectStored();
  expect(chunks.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(content.length);
});

test('it goes on by itself when its connection is cut', async () => {
  const proxy = await CuttingProxy.start(Number(new URL(fixture.url).port), MEGABYTE);
  const { upload, done } = run({ endpoint: `${proxy.url}/api/v1/uploads` });
  upload.start();
  await done;
  expect(proxy.cuts).toBe(1);
  expectStored();
  proxy.stop();
});

test('it ends an upload', async () => {
  const { upload } = run({ chunkSize: MEGABYTE, onChunkComplete: () => void ended(upload.abort(true)) });
  let ended!: (done: Promise<void>) => void;
  const aborted = new Promise<void>((resolve, reject) => (ended = (done) => void done.then(resolve, reject)));
  upload.start();
  await aborted;
  expect(files.uploads.size).toBe(0);
});

/** Passes connections on, and cuts the first one that carries so many bytes. */
class CuttingProxy {
  cuts = 0;
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(port: number, afterBytes: number): Promise<CuttingProxy> {
    const server = createServer((client: Socket) => {
      const behind = connect(port, '127.0.0.1');
      let bytes = 0;
      client.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (proxy.cuts > 0 || bytes < afterBytes) return;
        proxy.cuts++;
        client.destroy();
        behind.destroy();
      });
      client.pipe(behind).pipe(client);
      for (const socket of [client, behind]) socket.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new CuttingProxy(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return proxy;
  }

  stop(): void {
    this.server.close();
  }
}
