import { AbortMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3';
import { S3ObjectStore } from '../../apps/mail/src/files/s3/s3.object-store';
import { asKept, bytes, expectSame, newObject, piecesOf, reasonOf, StoreUnderTest } from '../../apps/mail/testing/store-under-test';
import { S3Server } from '../../tools/s3/s3-server';
import { TcpProxy } from '../faults/tcp-proxy';
import { describeWith, versitygwPath } from './provisioned';

describeWith('versitygw')('S3 that is away, or not what it should be', () => {
  let server: S3Server;
  let proxy: TcpProxy;
  const subject = new StoreUnderTest();
  const storeWith = (over: object = {}) =>
    new S3ObjectStore({
      S3_ENDPOINT: `http://127.0.0.1:${proxy.port}`,
      S3_REGION: 'us-east-1',
      S3_BUCKET: server.bucket,
      S3_KEY_PREFIX: '',
      S3_ACCESS_KEY_ID: server.accessKeyId,
      S3_SECRET_ACCESS_KEY: server.secretAccessKey,
      S3_PATH_STYLE: true,
      FILES_MAX_BYTES: 2 ** 30,
      ...over,
    });

  beforeAll(async () => {
    server = await S3Server.started(versitygwPath);
    proxy = await TcpProxy.before(Number(new URL(server.url).port));
    const store = storeWith();
    await subject.begin(async () => ({ store, another: storeWith, leftOf: async () => [], close: async () => undefined }));
  });
  afterEach(() => proxy.heal());
  afterAll(async () => {
    await proxy?.close();
    await server?.remove();
  });

  test('killed while it is written to: unavailable from then on; what is under the checkpoint is there when it is back', async () => {
    const part = subject.store.checkpointBytes;
    const content = bytes(4 * part + 5000);
    const object = newObject();
    const writer = await subject.store.open(object);
    await writer.write(Buffer.from(content.subarray(0, part + 1000)));
    const kept = { ...object, size: part + 1000, state: asKept(await writer.checkpoint()) };
    await server.kill();
    const writing = async () => {
      for (const piece of piecesOf(content.subarray(kept.size), 1_000_000)) await writer.write(Buffer.from(piece));
    };
    expect(await reasonOf(writing())).toBe('STORE_UNAVAILABLE');
    expect(await reasonOf(writer.write(bytes(1)))).toBe('STORE_UNAVAILABLE');
    expect(await reasonOf(writer.checkpoint())).toBe('STORE_UNAVAILABLE');
    for (const work of [
      () => subject.store.open(kept),
      () => subject.store.seal(kept),
      () => subject.read(kept),
      () => subject.store.remove(kept),
    ]) {
      expect(await reasonOf(work())).toBe('STORE_UNAVAILABLE');
    }
    await writer.close();

    await server.start();
    const whole = await subject.append(kept, piecesOf(content.subarray(kept.size), 1_000_000));
    expectSame(await subject.read(await subject.sealed(whole)), content);
  });

  test('connections that end while an object is read are made anew, and no byte is missing or twice', async () => {
    const content = bytes(20_000_000);
    const object = await subject.kept(content, 1_000_000);
    const read: Buffer[] = [];
    let cuts = 0;
    for await (const piece of subject.store.read(object, 0, object.size)) {
      if (read.push(piece) % 40 !== 0) continue;
      cuts++;
      proxy.cut();
    }
    expect(cuts).toBeGreaterThan(3);
    expectSame(Buffer.concat(read), content);
  });

  test('away while an object is read: unavailable, not an end', async () => {
    const object = await subject.kept(bytes(20_000_000), 1_000_000);
    let read = 0;
    const reading = async () => {
      for await (const piece of subject.store.read(object, 0, object.size)) {
        read += piece.length;
        proxy.refuse();
      }
    };
    expect(await reasonOf(reading())).toBe('STORE_UNAVAILABLE');
    expect(read).toBeLessThan(object.size);
  });

  test.each([
    ['a secret', { S3_SECRET_ACCESS_KEY: 'another' }],
    ['an access key', { S3_ACCESS_KEY_ID: 'another' }],
    ['a bucket', { S3_BUCKET: 'another' }],
  ])('with %s that is wrong nothing is lost', async (_, over) => {
    const sealed = await subject.kept(bytes(1000));
    const unfinished = await subject.append(newObject(), [bytes(subject.store.checkpointBytes + 1000)]);
    const store = storeWith(over);
    for (const work of [
      () => subject.read(sealed, 0, 1000, store),
      () => store.open(unfinished),
      () => store.seal(unfinished),
      () => store.seal(sealed),
      () => store.remove(sealed),
      () => subject.append(newObject(), [bytes(10)], store),
    ]) {
      expect(await reasonOf(work())).toBe('STORE_UNAVAILABLE');
    }
    await subject.read(sealed);
    await subject.store.seal(unfinished);
  });

  test('an upload that someone has ended is lost', async () => {
    const object = await subject.append(newObject(), [bytes(subject.store.checkpointBytes + 1000)]);
    const s3 = new S3Client({ endpoint: server.url, region: 'us-east-1', credentials: server, forcePathStyle: true });
    const UploadId = String(object.state['uploadId']);
    await s3.send(new AbortMultipartUploadCommand({ Bucket: server.bucket, Key: object.id, UploadId }));
    s3.destroy();
    expect(await reasonOf(subject.store.open(object))).toBe('CONTENT_LOST');
    expect(await reasonOf(subject.store.seal(object))).toBe('CONTENT_LOST');
  });
});
