import { type Client, credentials, type sendUnaryData, type ServerUnaryCall, type ServiceDefinition, status } from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import { ChannelPool } from './channel.pool';
import { ask, LIMITS, Loopback, MAIL } from './loopback.fixture';

type Call = ServerUnaryCall<unknown, unknown>;
type Handler = (call: Call, callback: sendUnaryData<object>) => void;

const pools: ChannelPool[] = [];
const servers: Loopback[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) pool.close();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const answers: Handler = (_call, callback) => callback(null, {});
const fails =
  (code: status): Handler =>
  (_call, callback) =>
    callback({ code, details: 'no' });
const failsOnce = (code: status): Handler => {
  let calls = 0;
  return (call, callback) => (calls++ === 0 ? fails(code) : answers)(call, callback);
};

/** Gives the calls that arrived, whichever method they were of, and the address. */
async function serve(handler: Handler): Promise<{ calls: Call[]; url: string }> {
  const calls: Call[] = [];
  const handle: Handler = (call, callback) => {
    calls.push(call);
    handler(call, callback);
  };
  const methods = ['submitEmail', 'getEmail', 'cancelEmail', 'sendEmail'];
  const server = await Loopback.start({ handlers: Object.fromEntries(methods.map((method) => [method, handle])) });
  servers.push(server);
  return { calls, url: server.url };
}

function poolTo(urls: readonly string[], size = 1): ChannelPool {
  const target = urls.length === 1 ? urls[0]! : `ipv4:${urls.join(',')}`;
  const pool = new ChannelPool({ service: 'MailService', target, credentials: credentials.createInsecure(), limits: LIMITS, size });
  pools.push(pool);
  return pool;
}

const call = (pool: ChannelPool, method: string) => ask(pool.client(MAIL), method, {});

test('what only reads is tried again where it met UNAVAILABLE, and says that it is another try', async () => {
  const { calls, url } = await serve(failsOnce(status.UNAVAILABLE));
  expect((await call(poolTo([url]), 'GetEmail')).error).toBeNull();
  expect(calls.map(({ metadata }) => metadata.get('grpc-previous-rpc-attempts'))).toEqual([[], ['1']]);
});

test.each(['CancelEmail', 'SendEmail', 'SubmitEmail'])('%s is not tried again by itself', async (method) => {
  const { calls, url } = await serve(failsOnce(status.UNAVAILABLE));
  expect((await call(poolTo([url]), method)).error?.code).toBe(status.UNAVAILABLE);
  expect(calls).toHaveLength(1);
});

test.each([status.INTERNAL, status.NOT_FOUND, status.RESOURCE_EXHAUSTED])('code %i is not tried again', async (code) => {
  const { calls, url } = await serve(failsOnce(code));
  expect((await call(poolTo([url]), 'GetEmail')).error?.code).toBe(code);
  expect(calls).toHaveLength(1);
});

test('where everything is down, other tries end: a call costs one', async () => {
  const { calls, url } = await serve(fails(status.UNAVAILABLE));
  const pool = poolTo([url]);
  await Promise.all(Array.from({ length: 60 }, () => call(pool, 'GetEmail')));
  const before = calls.length;
  for (let i = 0; i < 20; i++) await call(pool, 'GetEmail');
  expect(calls.length - before).toBe(20);
});

test('calls are spread evenly over instances', async () => {
  const instances = await Promise.all([serve(answers), serve(answers), serve(answers)]);
  const pool = poolTo(instances.map(({ url }) => url));
  // The first go to whichever is connected first.
  await Promise.all(Array.from({ length: 30 }, () => call(pool, 'GetEmail')));
  const before = instances.map(({ calls }) => calls.length);
  for (let i = 0; i < 90; i++) await call(pool, 'GetEmail');
  for (const [i, { calls }] of instances.entries()) expect(Math.abs(calls.length - before[i]! - 30)).toBeLessThanOrEqual(1);
});

test('an instance that only fails is left out, and none of the others', async () => {
  const broken = await serve(fails(status.INTERNAL));
  const fine = await Promise.all([serve(answers), serve(answers)]);
  const pool = poolTo([broken, ...fine].map(({ url }) => url));
  const began = Date.now();
  let sinceFailure = 0;
  // The interval of detection is 2 s.
  while (sinceFailure < 60 && Date.now() - began < 15_000) sinceFailure = (await call(pool, 'GetEmail')).error ? 0 : sinceFailure + 1;
  expect(sinceFailure).toBe(60);
  const before = fine.map(({ calls }) => calls.length);
  for (let i = 0; i < 20; i++) await call(pool, 'GetEmail');
  expect(fine.map(({ calls }, i) => calls.length - before[i]!)).toEqual([10, 10]);
});

test('a pool of two has two connections to each instance, used in turn', async () => {
  const { calls, url } = await serve(answers);
  const pool = poolTo([url], 2);
  for (let i = 0; i < 8; i++) await call(pool, 'GetEmail');
  expect(calls.length).toBe(8);
  expect(servers.at(-1)!.connections).toBe(2);
});

const SEARCH = 'sky_genesis.SearchService';
type Found = (error: Error | null, answer?: { totalCount: number }) => void;
type SearchCalls = Client & { search(request: object, options: { deadline: number }, callback: Found): void };

/** An instance of search that answers after `waitMs`, with its number. */
async function serveSearch(totalCount: number): Promise<{ url: string; waitMs: number; asked: number }> {
  const server = await Loopback.start({});
  const instance = { url: server.url, waitMs: 0, asked: 0 };
  server.server.addService(loadPackage()[SEARCH] as ServiceDefinition, {
    search: (_call: unknown, callback: sendUnaryData<object>) => {
      instance.asked++;
      setTimeout(() => callback(null, { totalCount }), instance.waitMs).unref();
    },
  });
  servers.push(server);
  return instance;
}

test.each<[hedgeSearchMs: number, answers: (number | undefined)[]]>([
  [50, [2]],
  [0, [2, undefined]],
])('hedging after %i ms: of a slow and a fast instance these answer within a second: %p', async (hedgeSearchMs, expected) => {
  const [slow, fast] = [await serveSearch(1), await serveSearch(2)];
  const target = `ipv4:${slow.url},${fast.url}`;
  const settings = { service: 'SearchService', target, credentials: credentials.createInsecure(), limits: LIMITS, size: 1 };
  const pool = new ChannelPool({ ...settings, hedgeSearchMs });
  pools.push(pool);
  const search = () =>
    new Promise<number | undefined>((resolve) =>
      (pool.client(SEARCH) as SearchCalls).search({}, { deadline: Date.now() + 1000 }, (_error, found) => resolve(found?.totalCount)),
    );
  // Until both are connected.
  while (slow.asked === 0 || fast.asked === 0) await search();
  slow.waitMs = 2500;
  const answers = new Set<number | undefined>();
  for (let i = 0; i < 4; i++) answers.add(await search());
  expect([...answers].sort()).toEqual(expected);
});
