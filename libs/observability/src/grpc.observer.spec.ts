import { connect } from 'node:http2';
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServiceDefinition,
  type ServiceError,
  status,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { callContextInterceptor, RuleError, toStatus } from '@sky-genesis/grpc';
import { HealthImplementation } from 'grpc-health-check';
import { register } from 'prom-client';
import { observeConnections } from './grpc-connections';
import { grpcObserver } from './grpc.observer';
import { LogLines } from './log-lines.fixture';

const serialize = (value: string) => Buffer.from(value);
const deserialize = (bytes: Buffer) => {
  const text = bytes.toString();
  if (text === 'not decodable') throw new Error(text);
  return text;
};
const codec = {
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
};
const service = {
  Ask: { path: '/test.Service/Ask', requestStream: false, responseStream: false, ...codec },
  Talk: { path: '/test.Service/Talk', requestStream: true, responseStream: true, ...codec },
} satisfies ServiceDefinition;

const handlers = {
  Ask({ request }: ServerUnaryCall<string, string>, respond: sendUnaryData<string>) {
    if (request === 'silence') return;
    if (request === 'refuse') respond(toStatus(new RuleError('EMAIL_NOT_FOUND')));
    else if (request === 'throw') throw new Error('a defect');
    else respond(null, request);
  },
  Talk(call: ServerDuplexStream<string, string>) {
    call.on('data', (text: string) => call.write(text)).on('end', () => call.end());
  },
};

const refusing: ServerInterceptor = (_method, call) =>
  new ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata: (metadata, proceed) => {
          if (metadata.get('refuse').length > 0) call.sendStatus(toStatus(new RuleError('UNAUTHENTICATED')));
          else proceed(metadata);
        },
        onReceiveMessage: (message, proceed) => proceed(message),
        onReceiveHalfClose: (proceed) => proceed(),
        onCancel: () => undefined,
      }),
  });

let log: LogLines;
let server: Server;
let client: Client;
let port: number;

beforeEach(async () => {
  register.resetMetrics();
  log = new LogLines();
  const limits = { maxMessageBytes: 1024, timeoutMs: 100 };
  server = new Server({
    interceptors: [callContextInterceptor(limits, () => true), grpcObserver('mail', { LOG_LEVEL: 'debug' }, log), refusing],
    'grpc.max_receive_message_length': limits.maxMessageBytes,
  });
  server.addService(service, handlers);
  new HealthImplementation({ '': 'SERVING' }).addToServer(server);
  observeConnections(server);
  port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
});

afterEach(() => {
  client.close();
  server.forceShutdown();
});

function ask(request: string, metadata = new Metadata()): Promise<number> {
  return new Promise((resolve) =>
    client.makeUnaryRequest(service.Ask.path, serialize, deserialize, request, metadata, (error: ServiceError | null) =>
      resolve(error?.code ?? status.OK),
    ),
  );
}
const talk = () => client.makeBidiStreamRequest(service.Talk.path, serialize, deserialize);

async function samplesOf(name: string): Promise<Record<string, number>> {
  const { values } = (await register.getSingleMetric(name)?.get()) ?? { values: [] };
  return Object.fromEntries(
    values.map(({ labels, value, ...more }) => {
      const suffix = 'metricName' in more ? `${String(more.metricName).slice(name.length)} ` : '';
      return [suffix + Object.values(labels).join(' '), value];
    }),
  );
}

test.each<[string, string, Record<string, string>]>([
  ['OK', 'hello', {}],
  ['NOT_FOUND', 'refuse', {}],
  ['INTERNAL', 'throw', {}],
  ['UNAUTHENTICATED', 'hello', { refuse: 'yes' }],
  ['INVALID_ARGUMENT', 'not decodable', {}],
  ['RESOURCE_EXHAUSTED', 'x'.repeat(2000), {}],
  ['RESOURCE_EXHAUSTED', 'hello', { large: 'x'.repeat(40_000) }],
  ['DEADLINE_EXCEEDED', 'silence', {}],
])('a call that ends with %s is counted once, with the code that went to the caller (case %#)', async (code, request, entries) => {
  const metadata = new Metadata();
  metadata.set('x-request-id', 'abc');
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  expect(status[await ask(request, metadata)]).toBe(code);
  expect(await ask('hello')).toBe(status.OK);

  const [line, second] = await log.atLeast(2);
  expect(line).toMatchObject({
    name: 'mail',
    level: code === 'INTERNAL' ? 'error' : 'info',
    request_id: 'abc',
    grpc_service: 'test.Service',
    grpc_method: 'Ask',
    grpc_code: code,
    msg: 'call',
  });
  expect(line?.duration_ms).toBeGreaterThanOrEqual(0);
  expect(second).toMatchObject({ grpc_code: 'OK' });
  expect(log.lines).toHaveLength(2);
  expect(await samplesOf('grpc_requests_total')).toEqual({ 'test.Service Ask': 2 });
  expect(await samplesOf('grpc_responses_total')).toEqual(
    code === 'OK' ? { 'test.Service Ask OK': 2 } : { [`test.Service Ask ${code}`]: 1, 'test.Service Ask OK': 1 },
  );
  expect(await samplesOf('grpc_request_duration_seconds')).toMatchObject({ '_count test.Service Ask': 2 });
});

test('a stream that ends well is counted once, at its end', async () => {
  const call = talk();
  call.write('one');
  await new Promise((resolve) => call.once('data', resolve));
  expect(await samplesOf('grpc_requests_total')).toEqual({ 'test.Service Talk': 1 });
  expect(await samplesOf('grpc_responses_total')).toEqual({});
  call.end();
  expect(await log.atLeast(1)).toMatchObject([{ grpc_method: 'Talk', grpc_code: 'OK' }]);
  await ask('hello');
  await log.atLeast(2);
  expect(await samplesOf('grpc_responses_total')).toEqual({ 'test.Service Talk OK': 1, 'test.Service Ask OK': 1 });
});

test('a stream whose caller goes away is CANCELLED, once', async () => {
  const call = talk().on('error', () => undefined);
  call.write('one');
  await new Promise((resolve) => call.once('data', resolve));
  call.cancel();
  expect(await log.atLeast(1)).toMatchObject([{ grpc_method: 'Talk', grpc_code: 'CANCELLED' }]);
  await ask('hello');
  await log.atLeast(2);
  expect(await samplesOf('grpc_responses_total')).toEqual({ 'test.Service Talk CANCELLED': 1, 'test.Service Ask OK': 1 });
});

test('health checks are logged at debug', async () => {
  await new Promise((resolve) =>
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      () => Buffer.alloc(0),
      (bytes) => bytes,
      '',
      resolve,
    ),
  );
  expect(await log.atLeast(1)).toMatchObject([{ level: 'debug', grpc_service: 'grpc.health.v1.Health', grpc_code: 'OK' }]);
});

test('a method that the server has not makes no label', async () => {
  await new Promise((resolve) => client.makeUnaryRequest('/test.Service/Made-up', serialize, deserialize, '', resolve));
  expect(await samplesOf('grpc_requests_total')).toEqual({});
});

test('connections are counted while they are open', async () => {
  const connections = async () => (await samplesOf('grpc_active_connections'))[''];
  const until = async (count: number) => {
    while ((await connections()) !== count) await new Promise(setImmediate);
  };
  await until(0);
  await ask('hello');
  expect(await connections()).toBe(1);
  const session = connect(`http://127.0.0.1:${port}`);
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  expect(await connections()).toBe(2);
  session.destroy();
  await until(1);
  server.forceShutdown();
  await until(0);
});
