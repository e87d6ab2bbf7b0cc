import { Discovery, EtcdClient, type EtcdRegistration, type EtcdSettings } from '@sky-genesis/grpc';
import { eventually } from '../eventually';
import { EtcdServer } from './etcd-server';
import { MailCaller } from './mail-caller';
import { MailInstance } from './mail-instance';

const LEASE_SECONDS = 2;
let etcd: EtcdServer;
let settings: EtcdSettings;
/** Of the callers: instances register each by one of their own, as they would in processes of their own. */
let discovery: Discovery;
let caller: MailCaller;
let running: RegisteredInstance[] = [];

/** An instance of mail, registered for as long as it runs, and what it was told of that. */
class RegisteredInstance {
  readonly told: boolean[] = [];
  private readonly registration: EtcdRegistration;
  private readonly discovery: Discovery;

  private constructor(
    readonly server: MailInstance,
    readonly name: string,
  ) {
    const [host, port] = server.address.split(':') as [string, string];
    this.discovery = new Discovery(settings);
    this.registration = this.discovery.register(
      'mail',
      { GRPC_HOST: host, GRPC_PORT: Number(port), GRPC_ADVERTISED_ADDR: undefined, SERVICE_INSTANCE: name },
      (registered) => this.told.push(registered),
    )!;
  }

  static async started(name: string): Promise<RegisteredInstance> {
    const instance = new RegisteredInstance(await MailInstance.started(), name);
    running.push(instance);
    return instance;
  }

  get address(): string {
    return this.server.address;
  }

  /** Serves on. */
  deregister(): Promise<void> {
    return this.registration.revoke();
  }

  async leave(): Promise<void> {
    running = running.filter((instance) => instance !== this);
    await this.deregister();
    this.server.stop();
    this.discovery.close();
  }
}

const keyOf = (name: string): string => `/services/mail/${name}`;
const addresses = (...instances: { address: string }[]): string =>
  instances
    .map(({ address }) => address)
    .sort()
    .join();
const answering = (wanted: string, withinMs?: number): Promise<string[]> =>
  eventually(
    () => caller.whoAnswers(),
    (who) => who.join() === wanted,
    withinMs,
  );
const storedNames = async (): Promise<string[]> => Object.keys(await etcd.stored('/services/mail/')).sort();

async function three(): Promise<[RegisteredInstance, RegisteredInstance, RegisteredInstance]> {
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => RegisteredInstance.started(name)));
  await answering(addresses(a!, b!, c!));
  return [a!, b!, c!];
}

/** Asks all the while, and tells how many calls failed. */
async function failedWhile(happens: () => Promise<unknown>): Promise<Record<string, number>> {
  const tally: Record<string, number> = { asked: 0, failed: 0 };
  let over = false;
  const asking = (async () => {
    while (!over) {
      const split = await caller.split(3);
      for (const [by, times] of Object.entries(split)) if (by.startsWith('error')) tally['failed']! += times;
      tally['asked']! += 3;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  await happens();
  over = true;
  await asking;
  return tally;
}

beforeAll(async () => {
  etcd = await EtcdServer.started();
  settings = {
    ETCD_ENDPOINTS: [etcd.url],
    ETCD_LEASE_SECONDS: LEASE_SECONDS,
    ETCD_TLS_CA: undefined,
    ETCD_TLS_CERT: undefined,
    ETCD_TLS_KEY: undefined,
    ETCD_USERNAME: undefined,
    ETCD_PASSWORD: undefined,
  };
});
beforeEach(() => {
  discovery = new Discovery(settings);
  caller = new MailCaller(discovery.targetOf('etcd:///mail', 'mail'));
});
afterEach(async () => {
  await Promise.all(running.map((instance) => instance.leave()));
  caller.close();
  discovery.close();
});
afterAll(() => etcd.remove());

test('calls are split evenly over the registered instances; who comes gets calls, who goes does not', async () => {
  const [a, b, c] = await three();
  expect(await etcd.stored('/services/')).toEqual({ [keyOf('a')]: a.address, [keyOf('b')]: b.address, [keyOf('c')]: c.address });
  expect(await caller.split(300)).toEqual({ [a.address]: 100, [b.address]: 100, [c.address]: 100 });
  const tally = await failedWhile(async () => {
    const d = await RegisteredInstance.started('d');
    await answering(addresses(a, b, c, d), 2000);
  });
  expect(tally).toMatchObject({ failed: 0 });
  await b.leave();
  expect(await storedNames()).not.toContain(keyOf('b'));
  await answering(addresses(a, c, running.at(-1)!), 2000);
});

test('channels to one service share one search for it, which ends with the last of them', async () => {
  const [a] = await three();
  const others = [1, 2].map(() => new MailCaller(discovery.targetOf('etcd:///mail', 'mail')));
  for (const other of others)
    await eventually(
      () => other.whoAnswers(),
      ({ length }) => length === 3,
    );
  expect(await etcd.watches()).toBe(1);
  expect(a.server.healthWatches).toBe(1);
  expect(discovery.addressesOf(discovery.targetOf('etcd:///mail', 'mail'))).toEqual(running.map(({ address }) => address).sort());
  for (const other of others) other.close();
  expect(await etcd.watches()).toBe(1);
  caller.close();
  await eventually(
    () => etcd.watches(),
    (watches) => watches === 0,
  );
});

test('when the last one has left, the error says that none is registered', async () => {
  const only = await RegisteredInstance.started('only');
  await answering(only.address);
  await only.leave();
  const answer = await eventually(
    () => caller.ask(),
    (reply) => 'error' in reply && reply.error.details.includes('no instance of mail'),
    10_000,
  );
  expect(answer).toMatchObject({ error: { code: 14, details: 'no instance of mail is registered' } });
});

test('those that vanish all together are believed to be there for as long as a lease, and no longer', async () => {
  const servers = await Promise.all([MailInstance.started(), MailInstance.started()]);
  const client = new EtcdClient(settings);
  const lease = await client.grantLease(60);
  for (const [i, { address }] of servers.entries()) await client.put(keyOf(`unwatched-${i}`), address, lease);
  await answering(addresses(...servers));
  await client.revokeLease(lease);
  const revokedAt = Date.now();
  await eventually(
    () => caller.split(4),
    (split) => 'error 14' in split,
  );
  expect(Date.now() - revokedAt).toBeGreaterThan(LEASE_SECONDS * 1000 - 100);
  client.close();
  for (const server of servers) server.stop();
});

test('etcd is killed and comes back: no call fails, and nobody has to register again', async () => {
  const instances = await three();
  const tally = await failedWhile(async () => {
    await etcd.kill();
    // Longer than the leases last.
    await eventually(() => instances.every(({ told }) => told.at(-1) === false), Boolean);
    await etcd.start();
    await eventually(() => instances.every(({ told }) => told.at(-1)), Boolean);
  });
  expect(tally).toMatchObject({ failed: 0 });
  const d = await RegisteredInstance.started('d');
  await answering(addresses(...instances, d));
});

test('etcd is wiped: no call fails, all register again, and changes are seen', async () => {
  const instances = await three();
  // So that the revisions of the new etcd are far from those that were seen.
  for (let i = 0; i < 50; i++) await etcd.put('/elsewhere', String(i));
  const tally = await failedWhile(async () => {
    await etcd.wipe();
    await eventually(storedNames, (names) => names.length === 3);
  });
  expect(tally).toMatchObject({ failed: 0 });
  const d = await RegisteredInstance.started('d');
  await answering(addresses(...instances, d));
});

test('etcd restarts and forgets its history: no call fails, and changes are seen', async () => {
  const [a, b, c] = await three();
  const tally = await failedWhile(async () => {
    await etcd.kill();
    await etcd.start();
    await etcd.put('/elsewhere', 'more');
    await etcd.compact();
    await c.deregister();
    await answering(addresses(a, b));
  });
  expect(tally).toMatchObject({ failed: 0 });
});

test('etcd hangs for longer than the leases: no call fails, and all register again', async () => {
  const instances = await three();
  const tally = await failedWhile(async () => {
    etcd.freeze();
    await eventually(() => instances.every(({ told }) => told.at(-1) === false), Boolean);
    etcd.thaw();
    await eventually(() => instances.every(({ told }) => told.at(-1)), Boolean);
    await eventually(storedNames, (names) => names.length === 3);
  });
  expect(tally).toMatchObject({ failed: 0 });
  await answering(addresses(...instances));
});

test('a lease that was revoked, and a key that was deleted, behind its back are noticed within a third of the lease', async () => {
  const [a, b] = await three();
  await etcd.revokeLeaseOf(keyOf('a'));
  await eventually(storedNames, (names) => names.length === 3, LEASE_SECONDS * 1000);
  expect(a.told).toEqual([true, false, true]);
  await etcd.delete(keyOf('b'));
  await eventually(storedNames, (names) => names.length === 3, LEASE_SECONDS * 1000);
  expect(b.told).toEqual([true]);
});

test('two instances of one name: the second is told, not taken for the first', async () => {
  const one = await RegisteredInstance.started('same');
  await answering(one.address);
  const other = await RegisteredInstance.started('same');
  await eventually(
    async () => (await etcd.stored(keyOf('same')))[keyOf('same')],
    (address) => address === other.address,
  );
  await eventually(
    () => one.told,
    (told) => told.at(-1) === false,
  );
  expect(other.told).toEqual([true]);
});

test('without etcd an app starts, is told what is missing, and registers when it is there', async () => {
  await etcd.kill();
  const instance = await RegisteredInstance.started('early');
  expect(await caller.ask()).toMatchObject({
    error: { code: 14, details: expect.stringContaining('etcd does not tell the instances of mail') },
  });
  expect(instance.told).toEqual([]);
  await etcd.start();
  await answering(instance.address);
  expect(instance.told).toEqual([true]);
});

test('etcd is away: leaving takes 2 s at most, and does not fail', async () => {
  const [a] = await three();
  etcd.freeze();
  const before = Date.now();
  await a.leave();
  expect(Date.now() - before).toBeLessThan(2500);
  etcd.thaw();
});
