import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkEtcd } from '../../tools/doctor/etcd.check';
import { checkService } from '../../tools/doctor/service.check';
import { instancesOf, services } from '../../tools/doctor/service.instances';
import { makeAuthority, makeCertificate } from '../edge/test-certificates';
import { freePort } from '../free-port';
import { describeWith } from '../system/provisioned';
import { EtcdServer, type EtcdTls } from './etcd-server';

const [mail] = services as [(typeof services)[0]];

describeWith('etcd')('npm run doctor on etcd', () => {
  let etcd: EtcdServer;
  beforeAll(async () => (etcd = await EtcdServer.started()));
  afterAll(() => etcd.remove());

  const statesIn = async (settings: Parameters<typeof checkEtcd>[0]) =>
    (await checkEtcd(settings)).map(({ state, found }) => [state, found]);

  test('one that is healthy, with nothing registered, and then with what is', async () => {
    const settings = { ETCD_ENDPOINTS: [etcd.url], GRPC_MAIL_SERVICE_ADDR: 'etcd:///mail' };
    expect(await statesIn(settings)).toEqual([
      ['ok', 'healthy'],
      ['warning', 'none under /services/'],
    ]);
    await expect(instancesOf(mail, settings)).rejects.toThrow('no instance is registered in etcd under /services/mail/');

    const nowhere = `127.0.0.1:${await freePort()}`;
    await etcd.put('/services/mail/a', nowhere);
    await etcd.put('/services/search/b', '[::1]:50052');
    expect(await statesIn(settings)).toEqual([
      ['ok', 'healthy'],
      ['ok', `mail/a at ${nowhere}, search/b at [::1]:50052`],
    ]);
    expect(await checkService(mail, settings, undefined)).toEqual([
      {
        what: `mail ${nowhere}`,
        state: 'failure',
        found: `connection refused by ${nowhere}`,
        todo: 'Nothing listens there: start mail, or put right where it is (GRPC_ADVERTISED_ADDR of mail, as etcd has it).',
      },
    ]);
  });

  test('what is registered and is no address is told as such', async () => {
    await etcd.put('/services/search/b', 'nonsense');
    const [, search] = services as [(typeof services)[0], (typeof services)[0]];
    const findings = await checkService(search, { ETCD_ENDPOINTS: [etcd.url], GRPC_SEARCH_SERVICE_ADDR: 'etcd:///search' }, undefined);
    expect(findings).toMatchObject([{ state: 'failure', found: expect.stringContaining('nonsense is not host:port') }]);
  });

  test('one of several that is away is a warning; all of them a failure each, and services are not found then', async () => {
    const away = `127.0.0.1:${await freePort()}`;
    expect(await statesIn({ ETCD_ENDPOINTS: [away, etcd.url] })).toEqual([
      ['warning', `connection refused by ${away}`],
      ['ok', 'healthy'],
      ['ok', expect.stringContaining('mail/a')],
    ]);
    const settings = { ETCD_ENDPOINTS: [away], GRPC_MAIL_SERVICE_ADDR: 'etcd:///mail' };
    expect(await statesIn(settings)).toEqual([['failure', `connection refused by ${away}`]]);
    expect(await checkService(mail, settings, undefined)).toMatchObject([{ state: 'failure', todo: 'See etcd in this list.' }]);
  });

  test('without etcd there is nothing to check', async () => expect(await checkEtcd({})).toEqual([]));

  test('one that knows users: without, with a wrong password, and right', async () => {
    const known = await EtcdServer.started();
    try {
      await known.put('/services/mail/a', '127.0.0.1:50051');
      await known.enableAuthentication('sge', 'secret', '/services/');
      const as = async (ETCD_USERNAME?: string, ETCD_PASSWORD?: string) =>
        (await checkEtcd({ ETCD_ENDPOINTS: [known.url], ETCD_USERNAME, ETCD_PASSWORD })).at(-1);
      expect(await as()).toMatchObject({ state: 'failure', found: expect.stringContaining('user name is empty') });
      const wrong = await as('sge', 'hunter2');
      expect(wrong).toMatchObject({ state: 'failure', todo: expect.stringContaining('ETCD_PASSWORD') });
      expect(JSON.stringify(wrong)).not.toContain('hunter2');
      expect(await as('sge', 'secret')).toMatchObject({ state: 'ok', found: 'mail/a at 127.0.0.1:50051' });
    } finally {
      await known.remove();
    }
  });

  test('one that speaks TLS and wants a certificate: without, of another authority, and right', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'doctor-etcd-'));
    const path = (name: string) => join(folder, name);
    makeAuthority(folder, 'ca');
    makeAuthority(folder, 'other');
    makeCertificate(folder, 'localhost', 'ca');
    const tls: EtcdTls = { caPath: path('ca.pem'), certificatePath: path('localhost.pem'), keyPath: path('localhost.key') };
    const secure = await EtcdServer.started({ tls });
    try {
      const trusting = { ETCD_ENDPOINTS: [secure.url], ETCD_TLS_CERT: tls.certificatePath, ETCD_TLS_KEY: tls.keyPath };
      const right = { ...trusting, ETCD_TLS_CA: tls.caPath };
      expect((await statesIn(right))[0]).toEqual(['ok', 'healthy']);
      expect(await statesIn({ ...trusting, ETCD_TLS_CA: path('other.pem') })).toEqual([
        ['failure', expect.stringContaining('TLS: who signed its certificate is not trusted here')],
      ]);
      expect(await checkEtcd({ ETCD_ENDPOINTS: [secure.url], ETCD_TLS_CA: tls.caPath })).toMatchObject([
        { state: 'failure', todo: expect.stringMatching(/ETCD_TLS_CERT|speak TLS/) },
      ]);
    } finally {
      await secure.remove();
      rmSync(folder, { recursive: true });
    }
  });
});
