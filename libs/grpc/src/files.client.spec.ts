import { once } from 'node:events';
import {
  credentials,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';

import { type DownloadRequest, type FileChunk, loadPackage, type UploadResponse } from '@sky-genesis/proto';
import { callContext } from './call-context';
import { ChannelPool } from './channel.pool';
import { FilesClient } from './files.client';
import type { StreamOptions } from './grpc-stream.client';
import { toStatus } from './grpc-status';
import { LIMITS } from './loopback.fixture';
import { RuleError } from './rule-error';
import { ServiceChannel } from './service.channel';

type Upload = ServerReadableStream<FileChunk, UploadResponse>;
type Download = ServerWritableStream<DownloadRequest, Partial<FileChunk>>;
type Done = sendUnaryData<UploadResponse>;

const SERVICE = 'sky_genesis.StreamingService';
const DONE: UploadResponse = { fileId: 'file_1', size: '3', sha256: 'ab' };
const server = new Server();
const pools: ChannelPool[] = [];
const unary: { method: string; request: unknown }[] = [];
let upload: (call: Upload, done: Done) => void;
let download: (call: Download) => void;
let address: string;

beforeAll(async () => {
  const answer = (method: string) => (call: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<unknown>) => {
    unary.push({ method, request: call.request });
    done(null, {});
  };
  const names = ['createUpload', 'getUpload', 'getFile', 'deleteFile'];
  server.addService(loadPackage()[SERVICE] as ServiceDefinition, {
    ...Object.fromEntries(names.map((name) => [name, answer(name)])),
    uploadFile: (call: Upload, done: Done) => upload(call, done),
    downloadFile: (call: Download) => download(call),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  address = `127.0.0.1:${port}`;
});
afterAll(() => {
  for (const pool of pools) pool.close();
  server.forceShutdown();
});

function clientOf(): FilesClient {
  const limits = { ...LIMITS, GRPC_MAX_MESSAGE_SIZE: 4_194_304 };
  const pool = new ChannelPool({
    service: 'StreamingService',
    target: address,
    credentials: credentials.createInsecure(),
    limits,
    size: 1,
  });
  pools.push(pool);
  const serviceToken = () => Promise.resolve('signed');
  return new FilesClient(new ServiceChannel({ service: 'StreamingService', unary: pool, streams: pool, timeoutMs: 5000, serviceToken }));
}
const uploading = (chunks: AsyncIterable<FileChunk>, options: StreamOptions = {}) => clientOf().uploadFile(chunks, options);
const inCall = <T>(signal: AbortSignal, work: () => T) =>
  callContext.run({ requestId: 'mine-1', traceparent: '00-trace', signal, deadline: Infinity }, work);
const chunk = (data: string | Buffer) => ({ data: Buffer.from(data) }) as unknown as FileChunk;
async function* chunksOf(...data: string[]): AsyncGenerator<FileChunk> {
  for (const each of data) yield chunk(each);
}
async function* chunksThenNothing(...data: string[]): AsyncGenerator<FileChunk> {
  yield* chunksOf(...data);
  await new Promise(() => undefined);
}
const cancelled = (call: Upload | Download) => once(call, 'cancelled');

test('each unary method calls its RPC', async () => {
  const client = clientOf();
  const created = { filename: 'a', contentType: 'b', totalSize: '1', sha256: '' };
  await client.createUpload(created, {});
  await client.getUpload({ fileId: 'file_1' }, {});
  await client.getFile({ fileId: 'file_2' }, {});
  await client.deleteFile({ fileId: 'file_3' }, {});
  expect(unary).toEqual([
    { method: 'createUpload', request: created },
    { method: 'getUpload', request: { fileId: 'file_1' } },
    { method: 'getFile', request: { fileId: 'file_2' } },
    { method: 'deleteFile', request: { fileId: 'file_3' } },
  ]);
});

describe('an upload', () => {
  test('carries its chunks, the tokens, the id and the trace, and gives the answer', async () => {
    const seen: unknown[] = [];
    upload = (call, done) => {
      seen.push(call.metadata.getMap(), call.getDeadline());
      call.on('data', ({ data }: FileChunk) => seen.push(Buffer.from(data).toString()));
      call.on('end', () => done(null, DONE));
    };
    const answer = inCall(new AbortController().signal, () => uploading(chunksOf('a', 'b'), { authorization: 'Bearer abc' }));
    expect(await answer).toEqual(DONE);
    expect(seen).toMatchObject([
      { authorization: 'Bearer abc', 'x-service-authorization': 'Bearer signed', 'x-request-id': 'mine-1', traceparent: '00-trace' },
      Infinity,
      'a',
      'b',
    ]);
  });

  test('that is answered before its end is at its end', async () => {
    upload = (call, done) => void call.once('data', () => done(null, DONE));
    expect(await uploading(chunksThenNothing('a'))).toEqual(DONE);
  });

  test('takes no more chunks than the service reads', async () => {
    upload = () => undefined;
    let taken = 0;
    const chunks = async function* () {
      for (; taken < 1000; taken++) yield chunk(Buffer.alloc(100_000));
    };
    const ending = new AbortController();
    const answer = uploading(chunks(), { signal: ending.signal });
    let before = -1;
    while (before !== taken || taken === 0) {
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(taken).toBeLessThan(100);
    ending.abort();
    await expect(answer).rejects.toMatchObject({ reason: 'CANCELLED' });
  });

  test('an error of the chunks cancels the call, and is what is thrown', async () => {
    const entered = new Promise<{ over: Promise<unknown> }>((resolve) => (upload = (call) => resolve({ over: cancelled(call) })));
    const chunks = async function* () {
      yield* chunksOf('a');
      await entered;
      throw new RuleError('CHECKSUM_MISMATCH');
    };
    await expect(uploading(chunks())).rejects.toMatchObject({ reason: 'CHECKSUM_MISMATCH' });
    await (
      await entered
    ).over;
  });

  test.each(['its signal', 'the call at hand'])('is cancelled by %s', async (how) => {
    const ending = new AbortController();
    const entered = new Promise<Upload>((resolve) => (upload = (call) => resolve(call)));
    const chunks = chunksThenNothing('a');
    const answer = how === 'its signal' ? uploading(chunks, { signal: ending.signal }) : inCall(ending.signal, () => uploading(chunks));
    const over = cancelled(await entered);
    ending.abort(new RuleError('SERVER_DRAINING'));
    await expect(answer).rejects.toMatchObject({ reason: 'SERVER_DRAINING' });
    await over;
  });

  test('an error of the service is what is thrown, and ends the chunks', async () => {
    upload = (call, done) =>
      void call.once('data', () => done(toStatus(new RuleError('STORE_FULL', 'no room', { facts: { received: '7' } }))));
    let left = false;
    const chunks: AsyncIterable<FileChunk> = {
      [Symbol.asyncIterator]: () => {
        const first = chunksOf('a');
        let at = 0;
        return {
          next: () => (at++ === 0 ? first.next() : new Promise(() => undefined)),
          return: async () => ({ done: (left = true), value: undefined }),
        };
      },
    };
    await expect(uploading(chunks)).rejects.toMatchObject({ reason: 'STORE_FULL', details: { facts: { received: '7' } } });
    expect(left).toBe(true);
  });

  test('leaves no listener on the signals', async () => {
    upload = (_call, done) => done(null, DONE);
    const { signal } = new AbortController();
    const removed = jest.spyOn(signal, 'removeEventListener');
    await inCall(signal, () => uploading(chunksOf(), { signal }));
    expect(removed).toHaveBeenCalledTimes(2);
  });
});

describe('a download', () => {
  const request = { fileId: 'file_1', offset: '1', length: '2', messageId: '', attachmentIndex: 0 };

  test('gives the chunks of its request', async () => {
    let seen: unknown;
    download = (call) => {
      seen = call.request;
      call.write(chunk('a'));
      call.write(chunk('b'));
      call.end();
    };
    const found: string[] = [];
    for await (const { data } of clientOf().downloadFile(request, {})) found.push(Buffer.from(data).toString());
    expect([found, seen]).toEqual([['a', 'b'], request]);
  });

  test('reads no chunk ahead, and is cancelled when it is left', async () => {
    let written = 0;
    let over!: Promise<unknown>;
    download = (call) => {
      over = cancelled(call);
      const more = () => {
        if (!call.cancelled && written++ < 1000) call.write(chunk(Buffer.alloc(100_000)), more);
      };
      more();
    };
    const chunks = clientOf().downloadFile(request, {});
    await chunks.next();
    let before = -1;
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // What the window holds, and sockets; with 16 ahead it would be more.
    expect(written).toBeLessThan(14);
    await chunks.return();
    await over;
  });
});
