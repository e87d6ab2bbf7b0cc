import { freePort } from '../../test/free-port';
import { checkEtcd } from './etcd.check';
import { type Answer, startHttp } from './http-server.fixture';
import { instancesOf, services } from './service.instances';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

const base64 = (text: string) => Buffer.from(text).toString('base64');
const HEALTHY: Answer = { json: { health: 'true', reason: '' } };
const REGISTERED = { '/services/mail/a': '10.0.0.1:50051', '/services/mail/b': '[fd00::2]:50051', '/services/search/a': '10.0.0.1:50052' };

/** Answers as etcd 3.5 does by JSON. */
async function etcd(registered: Record<string, string>, health = HEALTHY): Promise<string> {
  const kvs = Object.entries(registered).map(([key, value]) => ({ key: base64(key), value: base64(value) }));
  const { address, close } = await startHttp((path, _request, body) => {
    if (path === '/health') return health;
    const asked = path === '/v3/kv/range' ? (JSON.parse(body) as { key: string; range_end: string }) : undefined;
    return asked?.key === base64('/services/') && asked.range_end === base64('/services0') ? { json: { kvs } } : { status: 404 };
  });
  closers.push(close);
  return address;
}

test('one that is healthy, and what is registered there', async () => {
  const address = await etcd(REGISTERED);
  expect(await checkEtcd({ ETCD_ENDPOINTS: [address] })).toEqual([
    { what: `etcd ${address}`, state: 'ok', found: 'healthy' },
    { what: 'registrations', state: 'ok', found: 'mail/a at 10.0.0.1:50051, mail/b at [fd00::2]:50051, search/a at 10.0.0.1:50052' },
  ]);
});

test('nothing is registered', async () => {
  const [, registrations] = await checkEtcd({ ETCD_ENDPOINTS: [`http://${await etcd({})}`] });
  expect(registrations).toMatchObject({
    state: 'warning',
    found: 'none under /services/',
    todo: expect.stringContaining('ETCD_ENDPOINTS'),
  });
});

test('one without a leader', async () => {
  const address = await etcd({}, { status: 503, json: { health: 'false', reason: 'RAFT NO LEADER' } });
  expect(await checkEtcd({ ETCD_ENDPOINTS: [address] })).toEqual([
    expect.objectContaining({ state: 'failure', found: expect.stringContaining('RAFT NO LEADER') }),
  ]);
});

test('one of several that is away is a warning; all of them a failure each', async () => {
  const away = `127.0.0.1:${await freePort()}`;
  const findings = await checkEtcd({ ETCD_ENDPOINTS: [away, await etcd(REGISTERED)] });
  expect(findings.map(({ state }) => state)).toEqual(['warning', 'ok', 'ok']);
  expect(findings[0]?.found).toBe(`connection refused by ${away}`);
  expect((await checkEtcd({ ETCD_ENDPOINTS: [away, away] })).map(({ state }) => state)).toEqual(['failure', 'failure']);
});

test('etcd:///mail is where those of mail are registered', async () => {
  const [mail] = services as [(typeof services)[0]];
  const settings = { GRPC_MAIL_SERVICE_ADDR: 'etcd:///mail', ETCD_ENDPOINTS: [await etcd(REGISTERED)] };
  expect((await instancesOf(mail, settings)).map(({ host, port }) => [host, port])).toEqual([
    ['10.0.0.1', 50051],
    ['[fd00::2]', 50051],
  ]);
  await expect(instancesOf(mail, { ...settings, ETCD_ENDPOINTS: [await etcd({})] })).rejects.toThrow('no instance is registered');
  await expect(instancesOf(mail, { ...settings, ETCD_ENDPOINTS: [] })).rejects.toThrow('does not tell');
});

test('without etcd there is nothing to check', async () => expect(await checkEtcd({})).toEqual([]));
