import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, experimental, ServerCredentials } from '@grpc/grpc-js';
import { type CallContext, callContext, Discovery } from '@sky-genesis/grpc';
import { makeCertificate, makeCertificates } from '../edge/test-certificates';
import { eventually } from '../eventually';
import { freePort } from '../free-port';
import { MailCaller } from './mail-caller';
import { MailInstance, MailInstanceProcess } from './mail-instance';

const withoutEtcd = { ETCD_ENDPOINTS: [], ETCD_LEASE_SECONDS: 10 } as unknown as ConstructorParameters<typeof Discovery>[0];

const discovery = new Discovery(withoutEtcd);
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(() => discovery.close());

async function instances(count: number): Promise<MailInstance[]> {
  const started = await Promise.all(Array.from({ length: count }, () => MailInstance.started()));
  ends.push(() => started.forEach((instance) => instance.stop()));
  return started;
}

function callerOf(addresses: readonly string[]): MailCaller {
  const caller = new MailCaller(discovery.targetOf(addresses.join(','), 'mail'));
  ends.push(() => caller.close());
  return caller;
}

/** As a channel makes it. */
function resolverOf(target: string, told: (endpoints: unknown) => void): experimental.Resolver {
  const [, , authority = '', ...path] = target.split('/');
  const listener = (endpoints: unknown) => {
    told(endpoints);
    return true;
  };
  const resolver = experimental.createResolver({ scheme: 'list', authority, path: path.join('/') }, listener, {});
  ends.push(() => resolver.destroy());
  return resolver;
}

const addressesOf = (some: readonly { address: string }[]): string[] => some.map(({ address }) => address).sort();

test('what a resolver tells is taken in the form of grpc-js 1.14', async () => {
  const [instance] = await instances(1);
  const answers: boolean[] = [];
  class ContractResolver implements experimental.Resolver {
    static readonly getDefaultAuthority = () => 'mail';
    private told = false;
    constructor(
      readonly target: experimental.GrpcUri,
      private readonly listener: experimental.ResolverListener,
    ) {}
    updateResolution(): void {
      if (this.told) return;
      this.told = true;
      const [host, port] = instance!.address.split(':');
      const endpoints: experimental.Endpoint[] = [{ addresses: [{ host: host!, port: Number(port) }] }];
      setImmediate(() => answers.push(this.listener(experimental.statusOrFromValue(endpoints), {}, null, 'contract')));
    }
    destroy(): void {}
  }
  experimental.registerResolver('contract', ContractResolver);
  const caller = new MailCaller('contract:///anything');
  ends.push(() => caller.close());
  expect(await caller.ask()).toEqual({ peer: instance!.address });
  expect(answers).toEqual([true]);
});

test('calls are split evenly over the instances of a list, host names among them', async () => {
  const three = await instances(3);
  const [first, ...others] = addressesOf(three);
  const named = [first!.replace('127.0.0.1', 'localhost'), ...others];
  const caller = callerOf(named);
  await eventually(
    () => caller.whoAnswers(),
    (who) => who.length === 3,
  );
  const tally = await caller.split(300);
  expect(tally).toEqual(Object.fromEntries(named.map((address) => [address, 100])));
});

test('who says NOT_SERVING gets no calls until it serves again; with nobody else, it gets them', async () => {
  const [one, other] = (await instances(2)) as [MailInstance, MailInstance];
  const caller = callerOf(addressesOf([one, other]));
  await eventually(
    () => caller.whoAnswers(),
    (who) => who.length === 2,
  );
  one.setServing(false);
  await eventually(
    () => caller.whoAnswers(),
    (who) => who.join() === other.address,
    1000,
  );
  other.setServing(false);
  await eventually(
    () => caller.whoAnswers(),
    (who) => who.length === 2,
    1000,
  );
  one.setServing(true);
  await eventually(
    () => caller.whoAnswers(),
    (who) => who.join() === one.address,
    1000,
  );
});

test('an instance without grpc.health.v1 is well', async () => {
  const plain = await MailInstance.started({ withHealth: false });
  const [other] = (await instances(1)) as [MailInstance];
  ends.push(() => plain.stop());
  const caller = callerOf(addressesOf([plain, other]));
  await eventually(
    () => caller.whoAnswers(),
    (who) => who.join() === addressesOf([plain, other]).join(),
  );
});

test('a frozen instance gets no calls after 5 s at most, and some again when it goes on', async () => {
  const frozen = await MailInstanceProcess.started();
  ends.push(() => frozen.stop());
  const [other] = (await instances(1)) as [MailInstance];
  const caller = callerOf(addressesOf([frozen, other]));
  await eventually(
    () => caller.whoAnswers(),
    (who) => who.length === 2,
  );
  frozen.signal('SIGSTOP');
  const frozenAt = Date.now();
  await eventually(
    async () => (await caller.split(4, 200))[other.address],
    (answered) => answered === 4,
  );
  expect(Date.now() - frozenAt).toBeLessThan(5500);
  frozen.signal('SIGCONT');
  await eventually(
    () => caller.whoAnswers(),
    (who) => who.join() === addressesOf([frozen, other]).join(),
  );
});

test('a killed instance gets no calls, and some again when another listens there', async () => {
  const killed = await MailInstanceProcess.started();
  ends.push(() => killed.stop());
  const [other] = (await instances(1)) as [MailInstance];
  const caller = callerOf(addressesOf([killed, other]));
  await eventually(
    () => caller.whoAnswers(),
    (who) => who.length === 2,
  );
  await killed.stop();
  await eventually(
    async () => (await caller.split(12))[other.address],
    (answered) => answered === 12,
    1000,
  );
  const back = await MailInstance.started({ port: Number(killed.address.split(':')[1]) });
  ends.push(() => back.stop());
  await eventually(
    () => caller.whoAnswers(),
    (who) => who.length === 2,
  );
});

test('nobody there is an error that says so, not a wait', async () => {
  const caller = callerOf([`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]);
  const answer = await caller.ask(5000);
  expect(answer).toMatchObject({ error: { code: 14 } });
  expect((answer as { error: Error }).error.message).toContain('ECONNREFUSED');
});

test('over TLS an instance has the name of its service, for calls and for its health', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sge-mesh-tls-'));
  ends.push(() => rmSync(folder, { recursive: true }));
  const { ca } = makeCertificates(folder);
  makeCertificate(folder, 'mail', 'ca');
  makeCertificate(folder, 'search', 'ca');
  const [mail, search] = (await Promise.all(
    ['mail', 'search'].map((name) => {
      const [cert_chain, private_key] = ['pem', 'key'].map((kind) => readFileSync(join(folder, `${name}.${kind}`))) as [Buffer, Buffer];
      return MailInstance.started({ credentials: ServerCredentials.createSsl(null, [{ cert_chain, private_key }]) });
    }),
  )) as [MailInstance, MailInstance];
  ends.push(() => [mail, search].forEach((instance) => instance.stop()));
  const secure = new Discovery(withoutEtcd, () => credentials.createSsl(ca));
  ends.push(() => secure.close());
  const caller = new MailCaller(secure.targetOf(addressesOf([mail, search]).join(','), 'mail'), {}, credentials.createSsl(ca));
  ends.push(() => caller.close());
  await eventually(
    () => caller.whoAnswers(),
    (who) => who.join() === mail.address,
  );
  expect(mail.healthWatches).toBe(1);
  expect(search.healthWatches).toBe(0);
});

test('it does not spin: what did not change is not told, whatever is asked', async () => {
  const [one, other] = (await instances(2)) as [MailInstance, MailInstance];
  const told: unknown[] = [];
  const resolver = resolverOf(discovery.targetOf(addressesOf([one, other]).join(','), 'mail'), (endpoints) => told.push(endpoints));
  for (let i = 0; i < 1000; i++) resolver.updateResolution();
  expect(told).toEqual([]);
  await eventually(
    () => told.length,
    (times) => times === 1,
  );
  // As much as a balancer that lost a connection asks, for longer than changes are gathered.
  const until = Date.now() + 1000;
  await eventually(
    () => {
      for (let i = 0; i < 1000; i++) resolver.updateResolution();
      return Date.now();
    },
    (now) => now > until,
  );
  expect(told).toHaveLength(1);
});

test('what finds instances is not of the call that was the first to ask', async () => {
  const [one, other] = (await instances(2)) as [MailInstance, MailInstance];
  const contexts: unknown[] = [];
  const target = discovery.targetOf(addressesOf([one, other]).join(','), 'mail');
  const resolver = resolverOf(target, () => contexts.push(callContext.getStore()));
  const call = { requestId: 'first', signal: new AbortController().signal } as CallContext;
  callContext.run(call, () => resolver.updateResolution());
  await eventually(
    () => contexts.length,
    (times) => times === 1,
  );
  one.setServing(false);
  await eventually(
    () => contexts.length,
    (times) => times === 2,
  );
  expect(contexts).toEqual([undefined, undefined]);
});
