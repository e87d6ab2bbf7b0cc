import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import {
  type Client,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  type ServerWritableStream,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { GrpcServer } from './grpc-server';
import { ask, LIMITS, Loopback, MAIL } from './loopback.fixture';
import { ServerHealth } from './server-health';

interface HealthClient extends Client {
  check(request: { service: string }, done: (error: ServiceError | null, answer?: { status: string }) => void): void;
  watch(request: { service: string }): ClientReadableStream<{ status: string }>;
}

let loopback: Loopback;
const start = async (options: Parameters<typeof Loopback.start>[0] = {}) => (loopback = await Loopback.start(options));
afterEach(async () => {
  jest.restoreAllMocks();
  await loopback.close();
});

const health = () => loopback.client('grpc.health.v1.Health') as HealthClient;
const check = (service: string) =>
  new Promise<string>((resolve) => health().check({ service }, (error, answer) => resolve(answer?.status ?? status[error!.code])));
const nextOf = async (watch: AsyncIterator<{ status: string }>) => {
  const { done, value } = await watch.next();
  return done ? 'end' : value.status;
};
const watchOf = (service: string) => health().watch({ service })[Symbol.asyncIterator]() as AsyncIterator<{ status: string }>;

describe('health', () => {
  test('is NOT_SERVING until told, for each service and for all', async () => {
    const { grpcServer } = await start();
    expect(await Promise.all(['', MAIL].map(check))).toEqual(['NOT_SERVING', 'NOT_SERVING']);
    grpcServer.setServing(true);
    expect(await Promise.all(['', MAIL].map(check))).toEqual(['SERVING', 'SERVING']);
    grpcServer.setServing(false);
    expect(await Promise.all(['', MAIL].map(check))).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  });

  test('of a service that is not there is NOT_FOUND', async () => {
    await start();
    expect(await check('sky_genesis.Nothing')).toBe('NOT_FOUND');
  });

  test.each(['', MAIL])('every change is told to who watches "%s", once', async (service) => {
    const { grpcServer } = await start();
    const watch = watchOf(service);
    expect(await nextOf(watch)).toBe('NOT_SERVING');
    grpcServer.setServing(true);
    grpcServer.setServing(true);
    expect(await nextOf(watch)).toBe('SERVING');
    grpcServer.setServing(false);
    expect(await nextOf(watch)).toBe('NOT_SERVING');
  });

  test('a Watch of a service that is not there is answered, and not remembered', async () => {
    const { grpcServer } = await start();
    const watch = watchOf('sky_genesis.Nothing');
    expect(await nextOf(watch)).toBe('SERVICE_UNKNOWN');
    const { health: library } = (grpcServer as unknown as { health: { health: { watchers: Map<string, unknown> } } }).health;
    expect([...library.watchers.keys()]).toEqual([]);
  });
});

describe('reflection', () => {
  /** The services that the server tells, asked by one of the protocol's two versions. */
  async function listed(version: 'v1' | 'v1alpha'): Promise<string[] | string> {
    const folder = join(require.resolve('@grpc/reflection'), '../../proto/grpc/reflection', version);
    const definition = loadSync('reflection.proto', { includeDirs: [folder], oneofs: true });
    let found: unknown = loadPackageDefinition(definition);
    for (const name of ['grpc', 'reflection', version, 'ServerReflection']) found = (found as Record<string, unknown>)[name];
    const client = new (found as ServiceClientConstructor)(loopback.url, credentials.createInsecure());
    try {
      const stream = client['serverReflectionInfo']!();
      stream.end({ listServices: '' });
      for await (const { listServicesResponse } of stream) return listServicesResponse.service.map(({ name }: { name: string }) => name);
      return 'no answer';
    } catch (error) {
      return status[(error as ServiceError).code];
    } finally {
      client.close();
    }
  }

  test.each(['v1', 'v1alpha'] as const)('tells every service by %s', async (version) => {
    await start();
    const names = ['sky_genesis.MailService', 'sky_genesis.SearchService', 'sky_genesis.StreamingService', 'grpc.health.v1.Health'];
    expect(await listed(version)).toEqual(expect.arrayContaining(names));
  });

  test('tells nothing where it is off', async () => {
    await start({ reflection: false });
    expect(await listed('v1')).toBe('UNIMPLEMENTED');
  });
});

/** The longest that a timer of Node can be. */
const LONG_DRAIN = { DRAIN_SECONDS: 2_147_483 };

describe('drain', () => {
  test('serves on for the notice, while nobody is led here any more, and only then ends streams', async () => {
    const told: string[] = [];
    const { grpcServer } = await start({
      limits: { DRAIN_NOTICE_SECONDS: 1 },
      handlers: { getEmail: (_call: unknown, callback: (error: null, answer: object) => void) => callback(null, { status: 'sent' }) },
      onDrain: () => told.push('streams'),
    });
    grpcServer.setServing(true);
    grpcServer.announce({
      revoke: () => {
        told.push('revoked');
        return Promise.resolve();
      },
    });
    const drained = grpcServer.drain().then(() => told.push('drained'));
    expect(grpcServer.isDraining).toBe(true);
    expect((await ask(loopback.client(), 'GetEmail', { id: 'msg_1' })).response).toMatchObject({ status: 'sent' });
    expect(told).toEqual(['revoked']);
    await drained;
    expect(told).toEqual(['revoked', 'streams', 'drained']);
  });

  test('tells NOT_SERVING, ends Watches, and does not wait for the grace when nothing runs', async () => {
    const { grpcServer } = await start({ limits: LONG_DRAIN });
    grpcServer.setServing(true);
    const watch = watchOf('');
    expect(await nextOf(watch)).toBe('SERVING');
    const drained = grpcServer.drain();
    expect(await nextOf(watch)).toBe('NOT_SERVING');
    expect(await nextOf(watch)).toBe('end');
    await drained;
  });

  test('lets a running call end, and takes no new ones', async () => {
    let finish: (() => void) | undefined;
    let entered: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (entered = resolve));
    const { grpcServer } = await start({
      limits: LONG_DRAIN,
      handlers: {
        getEmail: (_call: unknown, callback: (error: null, answer: object) => void) => {
          finish = () => callback(null, { status: 'sent' });
          entered();
        },
      },
    });
    const answer = ask(loopback.client(), 'GetEmail', { id: 'msg_1' });
    await running;
    const drained = grpcServer.drain();
    const refused = await ask(loopback.client(), 'GetEmail', { id: 'msg_2' }, undefined, { deadline: Date.now() + 5000 });
    expect(refused.error?.code).toBe(status.UNAVAILABLE);
    finish!();
    expect((await answer).response).toMatchObject({ status: 'sent' });
    await drained;
  });

  test('lets streams be ended once it is NOT_SERVING, and waits for them', async () => {
    const told = jest.spyOn(ServerHealth.prototype, 'setServing');
    let stream: ServerWritableStream<unknown, unknown> | undefined;
    const { grpcServer } = await start({
      limits: LONG_DRAIN,
      handlers: { watchEvents: (call: ServerWritableStream<unknown, unknown>) => (stream = call).write({ cursor: '1' }) },
      onDrain: () => {
        stream?.write({ cursor: String(told.mock.calls.at(-1)) });
        stream?.end();
      },
    });
    grpcServer.setServing(true);
    const client = loopback.client() as unknown as { watchEvents(request: object): ClientReadableStream<{ cursor: string }> };
    const watch = client.watchEvents({})[Symbol.asyncIterator]() as AsyncIterator<{ cursor: string }>;
    expect((await watch.next()).value).toMatchObject({ cursor: '1' });
    const drained = grpcServer.drain();
    expect((await watch.next()).value).toMatchObject({ cursor: 'false' });
    expect((await watch.next()).done).toBe(true);
    await drained;
  });

  test('cuts a stream that does not end, after the grace and not before', async () => {
    const { grpcServer } = await start({
      limits: { DRAIN_SECONDS: 1 },
      handlers: { watchEvents: (call: ServerWritableStream<unknown, unknown>) => call.write({ cursor: '1' }) },
    });
    const client = loopback.client() as unknown as { watchEvents(request: object): ClientReadableStream<{ cursor: string }> };
    const stream = client.watchEvents({});
    const cut = new Promise<ServiceError>((resolve) => stream.once('error', resolve));
    await new Promise((resolve) => stream.once('data', resolve));
    let isCut = false;
    void cut.then(() => (isCut = true));
    const drained = grpcServer.drain();
    await delay(500);
    expect(isCut).toBe(false);
    await drained;
    expect([status.UNAVAILABLE, status.CANCELLED]).toContain((await cut).code);
  });

  test('stays NOT_SERVING whatever is told meanwhile', async () => {
    const { grpcServer } = await start();
    const told = jest.spyOn(ServerHealth.prototype, 'setServing');
    grpcServer.setServing(true);
    const drained = grpcServer.drain();
    grpcServer.setServing(true);
    await drained;
    expect(told.mock.calls).toEqual([[true], [false]]);
  });

  test('may come before the server is started', async () => {
    await new GrpcServer({
      url: '127.0.0.1:1',
      services: [],
      reflection: false,
      limits: LIMITS,
      isTrusted: () => false,
      interceptors: {},
    }).drain();
    await start();
  });
});
