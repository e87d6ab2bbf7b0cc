import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall, type ServiceDefinition, status } from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import { HealthImplementation } from 'grpc-health-check';
import { eventually } from '../eventually';
import { createDatabase, type TestDatabase } from '../integration/test-database';
import { MeshSystem } from './mesh-system';
import { SteadyCalls } from './steady.calls';

const PER_SECOND = 60;
const TIMEOUT_SECONDS = 2;
/** What a gateway's answer costs besides: the machine is busy. */
const SLACK_MS = 1500;

let databases: { mail: TestDatabase; search: TestDatabase };
let system: MeshSystem;

beforeAll(async () => {
  databases = { mail: await createDatabase(), search: await createDatabase() };
  system = await MeshSystem.start({
    databases: { mail: databases.mail.url, search: databases.search.url },
    settings: { GRPC_TIMEOUT: String(TIMEOUT_SECONDS) },
  });
}, 120_000);
afterAll(async () => {
  await system?.stop();
  await Promise.all([databases.mail.drop(), databases.search.drop()]);
});

const listing = () =>
  new SteadyCalls(
    system.gateways.map(({ healthUrl }) => `${healthUrl}/api/v1/mail?page_size=1`),
    PER_SECOND,
  );
const searching = () =>
  new SteadyCalls(
    system.gateways.map(({ healthUrl }) => `${healthUrl}/api/v1/search?q=a`),
    PER_SECOND,
  );
const served = (group: MeshSystem['mails'], method: string) =>
  Promise.all(group.map((app) => app.metric('grpc_requests_total', `grpc_method="${method}"`)));

/** Calls until none has failed for so long. */
async function untilQuiet(calls: SteadyCalls, quietMs: number): Promise<void> {
  await eventually(
    () => calls.now - Math.max(0, ...calls.failed.map(({ at, tookMs }) => at + tookMs)),
    (quiet) => quiet >= quietMs,
    40_000,
  );
}

test('two gateways split calls evenly over three instances of mail and two of search', async () => {
  for (const [name, begin, group, method] of [
    ['mail', listing, system.mails, 'ListEmails'],
    ['search', searching, system.searches, 'Search'],
  ] as const) {
    const warm = begin();
    await eventually(
      () => warm.answered.length,
      (count) => count > 20,
    );
    await warm.stop();
    const before = await served(group, method);
    const calls = begin();
    await eventually(
      () => calls.answered.length,
      (count) => count >= 180,
    );
    await calls.stop();
    const split = (await served(group, method)).map((count, i) => count - before[i]!);
    console.info(`${name}: ${split.join(', ')} of ${calls.answered.length} calls, ${calls.failed.length} failed`);
    expect(calls.failed).toEqual([]);
    const even = calls.answered.length / group.length;
    for (const count of split) expect(Math.abs(count - even)).toBeLessThan(even * 0.1);
  }
});

test('an instance that is killed (-9) costs no call: what met it is tried elsewhere', async () => {
  const calls = listing();
  await eventually(
    () => calls.answered.length,
    (count) => count > 60,
  );
  const at = calls.now;
  await system.mails[0]!.end('SIGKILL');
  await eventually(
    () => calls.now,
    (now) => now > at + 4000,
  );
  await calls.stop();
  const slowest = Math.max(...calls.answered.filter((call) => call.at > at - 100).map(({ tookMs }) => tookMs));
  console.info(
    `killed: ${calls.failed.length} of ${calls.answered.length} calls failed, the slowest after it took ${Math.round(slowest)} ms`,
  );
  expect(calls.failed).toEqual([]);
  await system.mails[0]!.start();
});

test('a frozen instance (SIGSTOP) is left out within seconds: only what it had already is lost, at its deadline', async () => {
  const [, frozen] = system.mails;
  const calls = listing();
  await eventually(
    () => calls.answered.length,
    (count) => count > 60,
  );
  const at = calls.now;
  frozen!.signal('SIGSTOP');
  await eventually(
    () => calls.now,
    (now) => now > at + 9000,
  );
  await untilQuiet(calls, 2000);
  await calls.stop();
  const last = Math.max(...calls.failed.map((call) => call.at)) - at;
  console.info(
    `frozen: ${calls.failed.length} of ${calls.answered.length} calls failed; none began later than ${Math.round(last)} ms after it`,
  );
  // A ping every 2 s, which has 2 s to be answered.
  expect(last).toBeLessThan(4500 + SLACK_MS);
  expect(new Set(calls.failed.map((call) => call.status))).toEqual(new Set([504]));
  frozen!.signal('SIGCONT');
  await eventually(() => frozen!.isReady(), Boolean);
});

type Answer = (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<object>) => void;

/** One that etcd names, and that says of itself that it is well. */
async function withLiar(answer: Answer, during: (callsOfLiar: () => number) => Promise<void>): Promise<void> {
  const server = new Server();
  let count = 0;
  const listEmails: Answer = (call, callback) => {
    count++;
    answer(call, callback);
  };
  server.addService(loadPackage()['sky_genesis.MailService'] as ServiceDefinition, { listEmails });
  new HealthImplementation({ 'sky_genesis.MailService': 'SERVING' }).addToServer(server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  await system.etcd.put('/services/mail/liar', `127.0.0.1:${port}`);
  try {
    await during(() => count);
  } finally {
    await system.etcd.delete('/services/mail/liar');
    server.forceShutdown();
  }
}

test.each<[what: string, answer: Answer, withinMs: number]>([
  ['answers only errors', (_call, callback) => callback({ code: status.INTERNAL, details: 'no' }), 5000],
  ['answers later than the deadline', (_call, callback) => void setTimeout(() => callback(null, { emails: [] }), 10_000).unref(), 8000],
])(
  'an instance that %s is left out within seconds, and the rest goes on',
  async (what, answer, withinMs) => {
    await withLiar(answer, async (callsOfLiar) => {
      const calls = listing();
      await eventually(callsOfLiar, (count) => count > 0);
      const at = calls.now;
      let [lastCount, lastAt] = [0, 0];
      await eventually(
        () => {
          if (callsOfLiar() > lastCount) [lastCount, lastAt] = [callsOfLiar(), calls.now];
          return calls.now - lastAt;
        },
        (quiet) => quiet > 4000,
        40_000,
      );
      await calls.stop();
      console.info(
        `${what}: ${calls.failed.length} of ${calls.answered.length} calls failed; none was sent there after ${Math.round(lastAt - at)} ms`,
      );
      expect(lastAt - at).toBeLessThan(withinMs + SLACK_MS);
      // All that failed is what the liar had.
      expect(calls.failed.length).toBeLessThanOrEqual(callsOfLiar());
    });
  },
  60_000,
);
