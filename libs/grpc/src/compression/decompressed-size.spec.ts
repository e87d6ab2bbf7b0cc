import { gzipSync } from 'node:zlib';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ChannelPool } from '../channel.pool';
import { fromServiceError } from '../grpc-status';
import { ask, LIMITS, Loopback, MAIL } from '../loopback.fixture';
import { frame, type RawAnswer, RawClient, RawServer } from './raw-http2.fixture';

const MIB = 2 ** 20;
const LIMIT = 4 * MIB;
/** 64 MiB of zeros in 64 KiB, sixteen times in a row: 1 GiB in 1 MiB. */
const MEMBER = gzipSync(Buffer.alloc(64 * MIB), { level: 9 });
const BOMB = Buffer.concat(Array<Buffer>(16).fill(MEMBER));
/** Far less than the bomb; what the process does besides is in it, too. */
const GROWTH = 48 * MIB;

/** How much more memory the process has at its most while something runs. */
async function growthDuring(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const sampler = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 1);
  await work();
  clearInterval(sampler);
  return Math.max(most, process.memoryUsage.rss()) - before;
}

describe('a server', () => {
  let loopback: Loopback;
  let raw: RawClient;
  let handled: number;
  beforeAll(async () => {
    const getEmail = (_call: unknown, callback: (error: null, answer: object) => void) => {
      handled += 1;
      callback(null, {});
    };
    loopback = await Loopback.start({ handlers: { getEmail }, limits: { GRPC_MAX_MESSAGE_SIZE: LIMIT } });
    raw = new RawClient(loopback.url);
  });
  beforeEach(() => (handled = 0));
  afterAll(async () => {
    raw.close();
    await loopback.close();
  });
  const send = (encoding: string, message: Buffer) => raw.call(`/${MAIL}/GetEmail`, { 'grpc-encoding': encoding }, frame(1, message));
  const errorOf = ({ trailers }: RawAnswer) =>
    fromServiceError(
      Object.assign(new Error(), {
        code: Number(trailers['grpc-status']),
        details: '',
        metadata: Metadata.fromHttp2Headers(trailers),
      }) as ServiceError,
    );

  test.each([
    ['64 MiB in 64 KiB', MEMBER],
    ['1 GiB in 1 MiB', BOMB],
  ])('refuses a gzip bomb of %s at its limit, in bounded memory', async (_size, bomb) => {
    const growth = await growthDuring(async () => {
      const error = errorOf(await send('gzip', bomb));
      expect(error).toMatchObject({
        code: 'RESOURCE_EXHAUSTED',
        reason: 'MESSAGE_TOO_LARGE',
        message: expect.stringContaining(`${LIMIT} bytes`),
      });
    });
    expect(growth).toBeLessThan(GROWTH);
    expect(handled).toBe(0);
  });

  test('takes what is unpacked as large as its limit, and not a byte more', async () => {
    // An unknown field of so many bytes: tag, length, content.
    const message = (bytes: number) => gzipSync(Buffer.concat([Buffer.from([0xfa, 0x3f, ...varint(bytes - 6)]), Buffer.alloc(bytes - 6)]));
    expect((await send('gzip', message(LIMIT))).trailers['grpc-status']).toBe('0');
    expect(errorOf(await send('gzip', message(LIMIT + 1))).reason).toBe('MESSAGE_TOO_LARGE');
  });

  test('refuses an encoding that it does not know, and tells those that it knows', async () => {
    const answer = await send('snappy', Buffer.from('x'));
    expect(answer.trailers['grpc-status']).toBe(String(status.UNIMPLEMENTED));
    expect(answer.headers['grpc-accept-encoding']).toBe('identity,deflate,gzip');
    expect(errorOf(answer).message).toContain('"snappy"');
  });

  test('refuses what is no gzip', async () => {
    expect(errorOf(await send('gzip', Buffer.from('not gzip'))).reason).toBe('MALFORMED_REQUEST');
  });
});

test('a client refuses a gzip bomb as an answer at its limit, in bounded memory', async () => {
  const server = await RawServer.start();
  server.answer = { headers: { 'grpc-encoding': 'gzip' }, body: frame(1, BOMB) };
  const limits = { ...LIMITS, GRPC_MAX_MESSAGE_SIZE: LIMIT };
  const pool = new ChannelPool({ service: 'MailService', target: server.url, credentials: credentials.createInsecure(), limits, size: 1 });
  const client = pool.client(MAIL);
  const growth = await growthDuring(async () => {
    const { error } = await ask(client, 'GetEmail', {});
    expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining(`larger than ${LIMIT}`) });
  });
  pool.close();
  server.close();
  expect(growth).toBeLessThan(GROWTH);
});

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left >>>= 7) {
    if (left < 128) return [...bytes, left];
    bytes.push((left & 127) | 128);
  }
}
