import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EtcdClient, type EtcdSettings } from '@sky-genesis/grpc';
import { makeAuthority, makeCertificate, makeCertificates } from '../edge/test-certificates';
import { freePort } from '../free-port';
import { EtcdServer } from './etcd-server';

const PREFIX = '/services/mail/';
const clients: EtcdClient[] = [];

function clientOf(settings: Partial<EtcdSettings>): EtcdClient {
  const client = new EtcdClient({ ETCD_LEASE_SECONDS: 10, ...settings } as EtcdSettings);
  clients.push(client);
  return client;
}

/** Every kind of call. */
async function useAll(client: EtcdClient): Promise<void> {
  const { revision } = await client.list(PREFIX);
  const lease = await client.grantLease(10);
  await client.put(`${PREFIX}a`, 'h:1', lease);
  expect(await client.keepAlive(lease)).toBe(10);
  const ending = new AbortController();
  const changes: unknown[] = [];
  for await (const some of client.watch(PREFIX, revision + 1n, ending.signal)) {
    changes.push(...some);
    if (changes.length === 1) await client.revokeLease(lease);
    if (changes.length === 2) ending.abort();
  }
  expect(changes).toEqual([{ key: `${PREFIX}a`, value: 'h:1' }, { key: `${PREFIX}a` }]);
  expect(await client.keepAlive(lease)).toBe(0);
}

async function watched(client: EtcdClient, fromRevision: bigint): Promise<void> {
  for await (const _changes of client.watch(PREFIX, fromRevision, new AbortController().signal));
}

/** The first call may be told of the connection that broke, no other. */
async function back(client: EtcdClient): Promise<void> {
  await client.list(PREFIX).catch(() => undefined);
  await client.list(PREFIX);
}

afterEach(() => clients.splice(0).forEach((client) => client.close()));

describe('an etcd that knows users', () => {
  let etcd: EtcdServer;
  beforeAll(async () => {
    etcd = await EtcdServer.started();
    await etcd.enableAuthentication('sge', 'secret', PREFIX);
  });
  afterAll(() => etcd.remove());
  const as = (name?: string, password?: string) => clientOf({ ETCD_ENDPOINTS: [etcd.url], ETCD_USERNAME: name, ETCD_PASSWORD: password });

  test('serves the one in the settings, and again when its token is gone', async () => {
    const client = as('sge', 'secret');
    await useAll(client);
    await etcd.kill();
    await etcd.start();
    await back(client);
    await useAll(client);
  });

  test('says why it does not serve others', async () => {
    await expect(as().list(PREFIX)).rejects.toThrow('user name is empty');
    await expect(as('sge', 'wrong').list(PREFIX)).rejects.toThrow('authentication failed, invalid user ID or password');
    await expect(as('sge', 'secret').list('/elsewhere/')).rejects.toThrow('permission denied');
    await expect(watched(as(), 1n)).rejects.toThrow('the watch was refused: ');
  });

  test('serves without a token once it is wiped, and knows nobody', async () => {
    const client = as('sge', 'secret');
    await client.list(PREFIX);
    await etcd.wipe();
    await back(client);
    await useAll(client);
  });
});

describe('an etcd behind TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sge-etcd-tls-'));
  const path = (name: string) => join(folder, name);
  let etcd: EtcdServer;
  beforeAll(async () => {
    const { certificatePath, keyPath } = makeCertificates(folder);
    makeAuthority(folder, 'stranger');
    makeCertificate(folder, 'client', 'ca');
    etcd = await EtcdServer.started({ tls: { caPath: path('ca.pem'), certificatePath, keyPath } });
  });
  afterAll(async () => {
    await etcd.remove();
    rmSync(folder, { recursive: true });
  });
  const by = (settings: Partial<EtcdSettings>) => clientOf({ ETCD_ENDPOINTS: [etcd.url], ...settings });

  test('serves who shows a certificate of its authority', async () => {
    await useAll(by({ ETCD_TLS_CA: path('ca.pem'), ETCD_TLS_CERT: path('client.pem'), ETCD_TLS_KEY: path('client.key') }));
  });

  test('is not spoken to where another authority is expected', async () => {
    const client = by({ ETCD_TLS_CA: path('stranger.pem'), ETCD_TLS_CERT: path('client.pem'), ETCD_TLS_KEY: path('client.key') });
    await expect(client.list(PREFIX)).rejects.toThrow('unable to verify the first certificate');
  });

  test('does not serve who shows none', async () => {
    await expect(by({ ETCD_TLS_CA: path('ca.pem') }).list(PREFIX)).rejects.toMatchObject({ code: 14 });
  });
});

describe('etcd', () => {
  let etcd: EtcdServer;
  beforeAll(async () => {
    etcd = await EtcdServer.started();
  });
  afterAll(() => etcd.remove());

  test('is asked at the next endpoint when one is away', async () => {
    const client = clientOf({ ETCD_ENDPOINTS: [`http://127.0.0.1:${await freePort()}`, etcd.url] });
    await expect(client.list(PREFIX)).rejects.toMatchObject({ code: 14 });
    await client.list(PREFIX);
  });

  test('that hangs is an error within 4 s', async () => {
    const client = clientOf({ ETCD_ENDPOINTS: [etcd.url] });
    await client.list(PREFIX);
    etcd.freeze();
    const before = Date.now();
    await expect(client.list(PREFIX)).rejects.toMatchObject({ code: 4 });
    etcd.thaw();
    expect(Date.now() - before).toBeLessThan(4000);
    await client.list(PREFIX);
  });

  test('that has forgotten where a watch begins ends it and says so', async () => {
    const client = clientOf({ ETCD_ENDPOINTS: [etcd.url] });
    await etcd.put('/elsewhere', '1');
    await etcd.put('/elsewhere', '2');
    const { revision } = await client.list(PREFIX);
    await etcd.compact();
    await expect(watched(client, revision - 1n)).rejects.toThrow(`the history before revision ${revision} is gone`);
  });
});
