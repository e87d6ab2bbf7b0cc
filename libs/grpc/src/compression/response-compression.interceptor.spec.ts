import { randomBytes } from 'node:crypto';
import {
  type MethodDefinition,
  type sendUnaryData,
  type ServerInterceptingCallInterface,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import { ask, Loopback, MAIL } from '../loopback.fixture';
import { frame, RawClient, type RawAnswer, unpacked } from './raw-http2.fixture';
import { responseCompression } from './response-compression.interceptor';

const FILES = 'sky_genesis.StreamingService';
const LARGE = 'a page of results '.repeat(1000);

let loopback: Loopback;
let raw: RawClient;
let handler: (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>) => void;
let echoed: Buffer;

const start = async (limits = {}) => {
  loopback = await Loopback.start({
    handlers: {
      getEmail: (...call: Parameters<typeof handler>) => handler(...call),
      watchEvents: (call: ServerWritableStream<unknown, { cursor: string }>) => {
        call.write({ cursor: LARGE });
        call.end();
      },
    },
    limits,
  });
  loopback.server.addService(loadPackage()[FILES] as ServiceDefinition, {
    downloadFile: (call: ServerWritableStream<unknown, unknown>) => {
      call.write({ data: Buffer.alloc(10_000) });
      call.end();
    },
  });
  const bytes = { requestSerialize: asItIs, requestDeserialize: asItIs, responseSerialize: asItIs, responseDeserialize: asItIs };
  loopback.server.addService(
    { Echo: { path: '/test.Service/Echo', requestStream: false, responseStream: false, ...bytes } },
    { Echo: (_call: unknown, callback: sendUnaryData<Buffer>) => callback(null, echoed) },
  );
  raw = new RawClient(loopback.url);
};
const asItIs = (bytes: Buffer) => bytes;
const stop = async () => {
  raw.close();
  await loopback.close();
};

const GZIP = { 'grpc-accept-encoding': 'identity, deflate,gzip' };
const get = (headers: Record<string, string> = GZIP) => raw.call(`/${MAIL}/GetEmail`, headers, frame(0, Buffer.alloc(0)));
const answering = (text: string) => (handler = (_call, callback) => callback(null, { status: text }));
const statusIn = ({ messages }: RawAnswer) => {
  const { responseDeserialize } = (loadPackage()[MAIL] as ServiceDefinition)['GetEmail'] as MethodDefinition<object, { status: string }>;
  return responseDeserialize(unpacked(messages[0]!)).status;
};

describe('where it is on', () => {
  beforeAll(() => start());
  afterAll(stop);

  test('a large answer is compressed for a client that reads gzip', async () => {
    answering(LARGE);
    const answer = await get();
    expect(answer.headers['grpc-encoding']).toBe('gzip');
    expect(answer.messages).toMatchObject([{ flag: 1 }]);
    expect(answer.messages[0]!.bytes.length).toBeLessThan(LARGE.length / 20);
    expect(statusIn(answer)).toBe(LARGE);
    expect(answer.trailers['grpc-status']).toBe('0');
  });

  test.each([{}, { 'grpc-accept-encoding': 'identity' }, { 'grpc-accept-encoding': 'deflate,xgzip' }])(
    'and goes as it is for one that says %j',
    async (headers) => {
      answering(LARGE);
      const answer = await get(headers as Record<string, string>);
      expect(answer.headers['grpc-encoding']).toBe('identity');
      expect(answer.messages).toMatchObject([{ flag: 0 }]);
      expect(statusIn(answer)).toBe(LARGE);
    },
  );

  test('the size from which it is compressed is that of the message', async () => {
    // Its field has three bytes besides.
    answering('x'.repeat(1020));
    expect((await get()).messages).toMatchObject([{ flag: 0 }]);
    answering('x'.repeat(1021));
    expect((await get()).messages).toMatchObject([{ flag: 1 }]);
  });

  test('what gets no smaller goes as it is', async () => {
    echoed = randomBytes(10_000);
    expect((await raw.call('/test.Service/Echo', GZIP, frame(0, Buffer.alloc(0)))).messages).toEqual([{ flag: 0, bytes: echoed }]);
  });

  test('a client of grpc-js reads it', async () => {
    answering(LARGE);
    expect((await ask(loopback.client(), 'GetEmail', {})).response).toMatchObject({ status: LARGE });
  });

  test('a status that comes while an answer is being compressed is not lost', async () => {
    handler = (_call, callback) => {
      callback(null, { status: LARGE });
      throw new Error('a defect');
    };
    const answer = await get();
    expect(statusIn(answer)).toBe(LARGE);
    expect(answer.trailers['grpc-status']).toBe(String(status.INTERNAL));
  });

  test('streams of answers are not', async () => {
    const { headers, messages } = await raw.call(`/${MAIL}/WatchEvents`, GZIP, frame(0, Buffer.alloc(0)));
    expect(headers['grpc-encoding']).toBe('identity');
    expect(messages).toMatchObject([{ flag: 0 }]);
  });

  test('chunks of files never are', async () => {
    const { headers, messages } = await raw.call(`/${FILES}/DownloadFile`, GZIP, frame(0, Buffer.alloc(0)));
    expect(headers['grpc-encoding']).toBe('identity');
    expect(messages).toMatchObject([{ flag: 0 }]);
  });

  test('an answer that cannot be serialized is INTERNAL', async () => {
    handler = (_call, callback) =>
      callback(null, {
        get status() {
          throw new Error('a defect');
        },
      });
    expect((await get()).trailers['grpc-status']).toBe(String(status.INTERNAL));
  });
});

test('where it is off nothing is compressed', async () => {
  await start({ GRPC_COMPRESSION: 'off' });
  answering(LARGE);
  const answer = await get();
  expect(answer.headers['grpc-encoding']).toBe('identity');
  expect(statusIn(answer)).toBe(LARGE);
  expect(answer.messages).toMatchObject([{ flag: 0 }]);
  await stop();
});

test('without the private parts of grpc-js messages are passed on', () => {
  const sent: unknown[] = [];
  const base = { sendMetadata: () => undefined, sendMessage: (message: unknown) => sent.push(message) };
  const method = { path: '/a/B', responseSerialize: () => Buffer.alloc(9999) } as unknown as Parameters<
    ReturnType<typeof responseCompression>
  >[0];
  const call = responseCompression(0)(method, base as unknown as ServerInterceptingCallInterface);
  const message = { text: LARGE };
  call.sendMessage(message, () => undefined);
  expect(sent).toEqual([message]);
});
