import { once } from 'node:events';
import {
  type Client,
  type ClientDuplexStream,
  type Metadata,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerInterceptor,
  ServerInterceptingCall,
  ServerListenerBuilder,
  type ServerUnaryCall,
  status,
} from '@grpc/grpc-js';
import { callContext, type CallContext, currentCaller } from './call-context';
import { fromServiceError } from './grpc-status';
import { ask, Loopback, MAIL, metadataOf } from './loopback.fixture';

type Unary = ServerUnaryCall<{ id: string }, unknown>;
type Stream = ServerDuplexStream<{ requests: { requestRef: string }[] }, unknown>;

/** Hands on metadata only after a while, as an auth interceptor does. */
const slowCaller: ServerInterceptor = (_method, call) =>
  new ServerInterceptingCall(call, {
    start: (next) =>
      next(
        new ServerListenerBuilder()
          .withOnReceiveMetadata((metadata, proceed) => {
            setImmediate(() => {
              callContext.getStore()!.caller = { subject: 'alice', tenant: 't', scopes: new Set(), senders: [] };
              proceed(metadata);
            });
          })
          .build(),
      ),
  });

let loopback: Loopback;
let client: Client;
let handler: (call: Unary, callback: sendUnaryData<unknown>) => void;
let streamHandler: (call: Stream) => void;
let trusted: (address: string | undefined) => boolean;

beforeAll(async () => {
  loopback = await Loopback.start({
    handlers: {
      getEmail: (call: Unary, callback: sendUnaryData<unknown>) => handler(call, callback),
      submitEmails: (call: Stream) => streamHandler(call),
    },
    limits: { GRPC_TIMEOUT: 1 },
    isTrusted: ({ address }) => trusted(address),
    interceptors: { authentication: slowCaller },
    // The client would otherwise refuse these by itself.
    channel: { 'grpc.max_send_message_length': -1 },
  });
  client = loopback.client();
});
afterAll(() => loopback.close());
beforeEach(() => {
  trusted = () => true;
  handler = (_call, callback) => callback(null, { status: 'sent' });
});

const get = (request: object = { id: 'msg_1' }, metadata?: Metadata, options = {}) => ask(client, 'GetEmail', request, metadata, options);
const openStream = () =>
  (client as unknown as { submitEmails(): ClientDuplexStream<object, { results: { requestRef: string }[] }> }).submitEmails();
const aborted = (signal: AbortSignal) => (signal.aborted ? Promise.resolve() : once(signal, 'abort'));

test('the context reaches the handler of a unary call, also through an interceptor that takes its time', async () => {
  let seen: CallContext | undefined;
  handler = (_call, callback) => {
    seen = callContext.getStore();
    callback(null, { status: currentCaller().subject });
  };
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const { response } = await get(undefined, metadataOf({ 'x-request-id': 'mine-1', traceparent: trace }));
  expect(response).toMatchObject({ status: 'alice' });
  expect(seen).toMatchObject({ requestId: 'mine-1', traceparent: trace });
});

test('the context reaches the handler of a stream and each of its messages', async () => {
  streamHandler = (call) => {
    void (async () => {
      for await (const { requests } of call) {
        const { requestId, caller } = callContext.getStore()!;
        call.write({ results: requests.map(({ requestRef }) => ({ requestRef: `${requestRef} ${requestId} ${caller?.subject}` })) });
      }
      call.end();
    })();
  };
  const answersOf = async (requestId: string): Promise<string[]> => {
    const open = client as unknown as { submitEmails(metadata: Metadata): ReturnType<typeof openStream> };
    const stream = open.submitEmails(metadataOf({ 'x-request-id': requestId }));
    for (const requestRef of ['1', '2', '3']) stream.write({ requests: [{ requestRef }] });
    stream.end();
    const answers: string[] = [];
    for await (const { results } of stream) answers.push(...results.map((result: { requestRef: string }) => result.requestRef));
    return answers;
  };
  const both = await Promise.all([answersOf('a'), answersOf('b')]);
  expect(both).toEqual(['a', 'b'].map((id) => ['1', '2', '3'].map((ref) => `${ref} ${id} alice`)));
});

test('the context reaches a listener for the messages of a stream', async () => {
  streamHandler = (call) => {
    call.on('data', () => call.write({ results: [{ requestRef: callContext.getStore()?.requestId ?? 'no context' }] }));
    call.on('end', () => call.end());
  };
  const stream = openStream();
  const answers = stream[Symbol.asyncIterator]() as AsyncIterator<{ results: { requestRef: string }[] }>;
  const seen = new Set<string>();
  for (const requestRef of ['1', '2', '3']) {
    stream.write({ requests: [{ requestRef }] });
    const { value } = await answers.next();
    for (const result of value.results) seen.add(result.requestRef);
  }
  stream.end();
  expect([...seen]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
});

test('outside a call there is no caller', () => {
  expect(() => currentCaller()).toThrow('no caller');
});

test('the request id comes back with an answer and with an error', async () => {
  const metadata = metadataOf({ 'x-request-id': 'mine-2' });
  expect((await get(undefined, metadata)).initialMetadata?.get('x-request-id')).toEqual(['mine-2']);
  handler = (_call, callback) => callback({ code: status.NOT_FOUND, details: 'no' });
  const { error } = await get(undefined, metadata);
  expect(error?.code).toBe(status.NOT_FOUND);
  expect(error?.metadata.get('x-request-id')).toEqual(['mine-2']);
});

test('a caller without a request id, or with a harmful one, gets a new one', async () => {
  const given = metadataOf({ 'x-request-id': '{"level":"fatal"}' });
  for (const metadata of [undefined, given]) {
    expect((await get(undefined, metadata)).initialMetadata?.get('x-request-id')).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  }
});

test('a peer that is not trusted says neither the request id nor that a call may be a replay', async () => {
  const asked: unknown[] = [];
  let seen: CallContext | undefined;
  handler = (_call, callback) => {
    seen = callContext.getStore();
    callback(null, {});
  };
  const metadata = metadataOf({ 'x-request-id': 'mine-3', 'early-data': '1' });
  for (const isTrusted of [true, false]) {
    trusted = (address) => asked.push(address) > 0 && isTrusted;
    const { initialMetadata } = await get(undefined, metadata);
    const requestId = isTrusted ? 'mine-3' : (expect.stringMatching(/^[0-9a-f-]{36}$/) as string);
    expect([seen?.requestId, seen?.earlyData ?? false]).toEqual([requestId, isTrusted]);
    expect(initialMetadata?.get('x-request-id')).toEqual([seen?.requestId]);
  }
  expect(asked).toEqual(['127.0.0.1', '127.0.0.1']);
});

test.each(['1', '0', '', '1, 1', 'yes'])('early-data is 1 whatever it says: "%s"', async (said) => {
  let early: boolean | undefined;
  handler = (_call, callback) => {
    early = callContext.getStore()?.earlyData;
    callback(null, {});
  };
  await get(undefined, metadataOf({ 'early-data': said }));
  expect(early).toBe(true);
  await get();
  expect(early).toBe(false);
});

test('a unary call that takes too long ends with DEADLINE_EXCEEDED and ends the work', async () => {
  let signal: AbortSignal | undefined;
  handler = () => (signal = callContext.getStore()!.signal);
  const { error } = await get();
  expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
  expect(fromServiceError(error!)).toMatchObject({
    reason: 'DEADLINE_EXCEEDED',
    message: 'MailService/GetEmail: no answer within 1000 ms',
  });
  expect(signal?.reason).toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
});

test('a caller may ask for less time', async () => {
  let ended: Promise<unknown> | undefined;
  handler = () => {
    ended = aborted(callContext.getStore()!.signal);
  };
  const { error } = await get(undefined, undefined, { deadline: Date.now() + 100 });
  expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
  await ended;
});

test('a message that is too large is RESOURCE_EXHAUSTED and names the limit', async () => {
  const { error } = await get({ id: 'x'.repeat(65_536) });
  expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
  expect(fromServiceError(error!)).toMatchObject({ reason: 'MESSAGE_TOO_LARGE', message: expect.stringContaining('65536 bytes') });
});

test('a compressed message that grows too large is the same', async () => {
  const zipping = loopback.client(MAIL, { 'grpc.default_compression_algorithm': 2 });
  const { error } = await ask(zipping, 'GetEmail', { id: 'x'.repeat(1_000_000) });
  expect(fromServiceError(error!).reason).toBe('MESSAGE_TOO_LARGE');
});

test('a message that is none is INVALID_ARGUMENT', async () => {
  const error = await new Promise<Parameters<typeof fromServiceError>[0] | null>((resolve) =>
    client.makeUnaryRequest('/sky_genesis.MailService/GetEmail', () => Buffer.from([0xff, 0xff, 0xff]), String, {}, resolve),
  );
  expect(error?.code).toBe(status.INVALID_ARGUMENT);
  expect(fromServiceError(error!).reason).toBe('MALFORMED_REQUEST');
});

test('a method without a handler is UNIMPLEMENTED', async () => {
  const { error } = await ask(client, 'CancelEmail', { id: 'msg_1' });
  expect(error?.code).toBe(status.UNIMPLEMENTED);
  expect(fromServiceError(error!).reason).toBe('UNIMPLEMENTED');
});

test('a unary caller that goes away ends the work', async () => {
  const entered = new Promise<AbortSignal>((resolve) => (handler = () => resolve(callContext.getStore()!.signal)));
  const call = client.makeUnaryRequest(
    '/sky_genesis.MailService/GetEmail',
    () => Buffer.alloc(0),
    String,
    {},
    () => undefined,
  );
  const signal = await entered;
  expect(signal.aborted).toBe(false);
  call.cancel();
  await aborted(signal);
  expect(signal.reason).toMatchObject({ reason: 'CANCELLED' });
});

test('a stream has no deadline of ours, and ends when its caller goes away', async () => {
  const entered = new Promise<AbortSignal>((resolve) => (streamHandler = () => resolve(callContext.getStore()!.signal)));
  const stream = openStream();
  stream.on('error', () => undefined);
  const signal = await entered;
  handler = () => undefined;
  const { error } = await get();
  expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
  expect(signal.aborted).toBe(false);
  stream.cancel();
  await aborted(signal);
});
