import { type Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { ChannelPool } from '../channel.pool';
import { ask, LIMITS, MAIL } from '../loopback.fixture';
import { RawServer, unpacked } from './raw-http2.fixture';

const LARGE = Buffer.alloc(20_000, 'the body of a mail ');
const SMALL = Buffer.alloc(1023, 'the body of a mail ');

let server: RawServer;
const pools: ChannelPool[] = [];
beforeEach(async () => (server = await RawServer.start()));
afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
  server.close();
});

/** A client as ours are. */
function clientOf(service = MAIL, compression: 'gzip' | 'off' = 'gzip'): Client {
  const limits = { ...LIMITS, GRPC_COMPRESSION: compression };
  const pool = new ChannelPool({ service: 'MailService', target: server.url, credentials: credentials.createInsecure(), limits, size: 1 });
  pools.push(pool);
  return pool.client(service);
}

/** Sends bytes as one message; counts how often they are serialized. */
async function send(client: Client, bytes: Buffer, path = `/${MAIL}/GetEmail`): Promise<number> {
  let serialized = 0;
  const serialize = (message: Buffer) => {
    serialized += 1;
    return message;
  };
  await new Promise<void>((resolve, reject) =>
    client.makeUnaryRequest(
      path,
      serialize,
      () => ({}),
      bytes,
      (error) => (error ? reject(error) : resolve()),
    ),
  );
  return serialized;
}

test('a large request is compressed, and serialized once', async () => {
  expect(await send(clientOf(), LARGE)).toBe(1);
  const [call] = server.calls;
  expect(call!.headers['grpc-encoding']).toBe('gzip');
  expect(call!.messages).toMatchObject([{ flag: 1 }]);
  expect(call!.messages[0]!.bytes.length).toBeLessThan(LARGE.length / 20);
  expect(unpacked(call!.messages[0]!)).toEqual(LARGE);
});

test('a small one is not', async () => {
  expect(await send(clientOf(), SMALL)).toBe(1);
  expect(server.calls[0]!.messages).toEqual([{ flag: 0, bytes: SMALL }]);
});

test('nor is any where it is off, of chunks of files, or of health', async () => {
  await send(clientOf(MAIL, 'off'), LARGE);
  await send(clientOf('sky_genesis.StreamingService'), LARGE, '/sky_genesis.StreamingService/UploadFile');
  await send(clientOf('grpc.health.v1.Health'), LARGE, '/grpc.health.v1.Health/Check');
  expect(server.calls.map(({ messages }) => messages)).toEqual(Array(3).fill([{ flag: 0, bytes: LARGE }]));
});

test('each message of a stream is by its own size', async () => {
  const stream = (clientOf() as unknown as { submitEmails(): ClientDuplexStream<object, object> }).submitEmails();
  const subjects = ['a', 'b'.repeat(5000), 'c'];
  for (const subject of subjects) stream.write({ requests: [{ email: { subject } }] });
  stream.end();
  for await (const _ of stream);
  expect(server.calls[0]!.messages.map(({ flag }) => flag)).toEqual([0, 1, 0]);
});

test('once a server has told that it does not read gzip, none is compressed', async () => {
  const client = clientOf();
  server.answer.headers = { 'grpc-accept-encoding': 'identity' };
  await send(client, LARGE);
  await send(client, LARGE);
  expect(server.calls.at(-1)!.messages).toEqual([{ flag: 0, bytes: LARGE }]);
});

test('a request that cannot be serialized fails alone', async () => {
  const client = clientOf();
  const { error } = await ask(client, 'GetEmail', {
    get id() {
      throw new Error('a defect');
    },
  });
  expect(error?.details).toContain('a defect');
  await send(client, LARGE);
});
