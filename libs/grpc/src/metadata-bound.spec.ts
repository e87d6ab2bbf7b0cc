import { type Client, type Metadata, type sendUnaryData, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { fromServiceError } from './grpc-status';
import { ask, Loopback, metadataOf } from './loopback.fixture';

let loopback: Loopback;
let client: Client;
let handler: (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>) => void;
beforeAll(async () => {
  loopback = await Loopback.start({ handlers: { getEmail: (...call: Parameters<typeof handler>) => handler(...call) } });
  client = loopback.client();
});
afterAll(() => loopback.close());
beforeEach(() => {
  handler = (_call, callback) => callback(null, {});
});

const get = (metadata?: Metadata) => ask(client, 'GetEmail', {}, metadata);

/** So many bytes in so many entries, names included; grpc-js adds its user-agent. */
const bytes = (size: number, entries: number): Metadata => {
  const each = Math.floor(size / entries);
  const name = (at: number) => `m${String(at).padStart(4, '0')}`;
  return metadataOf(
    Object.fromEntries(Array.from({ length: entries }, (_, at) => [name(at), 'x'.repeat(each + (at ? 0 : size % entries) - 5)])),
  );
};
/** What a proxy and the gateway add, at its largest. */
const ADDED = {
  'x-request-id': 'r'.repeat(128),
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'x-service-authorization': 's'.repeat(300),
  'x-forwarded-for': Array(50).fill('2001:db8:1111:2222:3333:4444:5555:6666').join(', '),
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'h'.repeat(253),
  'early-data': '1',
};

test.each([1, 4, 100])('metadata of 32 KiB in %i entries arrives whole, with what is added on the way', async (entries) => {
  const sent = bytes(32_768, entries);
  sent.merge(metadataOf(ADDED));
  let arrived: Metadata | undefined;
  handler = (call, callback) => {
    arrived = call.metadata;
    callback(null, {});
  };
  expect((await get(sent)).error).toBeNull();
  expect(arrived?.toJSON()).toMatchObject(sent.toJSON());
});

test.each([1, 4])('metadata that is larger (in %i entries) is RESOURCE_EXHAUSTED, before the handler', async (entries) => {
  let entered = false;
  handler = () => (entered = true);
  const { error } = await get(bytes(36_865, entries));
  expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
  expect(fromServiceError(error!)).toMatchObject({ reason: 'METADATA_TOO_LARGE', message: 'metadata is larger than 32768 bytes' });
  expect(entered).toBe(false);
});

test.each([
  [100_000, 4],
  [2_000, 200],
])(
  'metadata of %i bytes in %i entries, which HTTP/2 refuses by itself, is RESOURCE_EXHAUSTED, and of no harm to others',
  async (size, entries) => {
    const others = get(bytes(32_768, 4));
    const { error } = await get(bytes(size, entries));
    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect((await others).error).toBeNull();
    expect((await get()).error).toBeNull();
  },
);
