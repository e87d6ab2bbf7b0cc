import { generateKeyPairSync } from 'node:crypto';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { Logger } from '@nestjs/common';
import { CertificateProvider, fromServiceError, readOnlyRpcs, type Rpc, rpcs } from '@sky-genesis/grpc';
import { loadPackage } from '@sky-genesis/proto';
import { type Names, TestAuthority } from '../../../test/test-authority';
import { TestFiles } from '../../grpc/src/tls/tls-loopback.fixture';
import { authInterceptor, type AuthOptions } from './auth.interceptor';
import { ANONYMOUS } from './caller-claims';
import { ContractServer } from './contract-server.fixture';
import { issueToken } from './issue-token';
import { scopes } from './scopes';
import { ServiceTokens } from './service-tokens';
import { TokenVerifier } from './token-verifier';

const settings = { NODE_ENV: 'test', AUTH_SECRET: 's'.repeat(32), AUTH_ISSUER: 'i', AUTH_AUDIENCE: 'a' };
const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const serviceTokens = new ServiceTokens(pem);
const verifier = new TokenVerifier(settings);
const everyScope = [...scopes].join(' ');
const paths = Object.values(loadPackage())
  .filter((entry) => !('format' in entry))
  .flatMap((service) => Object.values(service))
  .map(({ path }) => path)
  .filter((path) => path.startsWith('/sky_genesis.'));

let server: ContractServer;

async function start(options: Partial<AuthOptions> = {}, isTrusted = false): Promise<void> {
  const interceptor = authInterceptor({ verifier, serviceTokens, allowAnonymous: false, openReflection: false, ...options });
  server = await ContractServer.start([interceptor], isTrusted);
}

beforeAll(() => Logger.overrideLogger(false));
afterEach(() => server.close());

function metadataOf(entries: Record<string, string | undefined>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) if (value !== undefined) metadata.add(name, value);
  return metadata;
}
const withScope = (scope: string) => ({ authorization: `Bearer ${issueToken(settings, { sub: 'ann', scope }, 3600)}` });

test.each(paths)('%s: without a token nothing reaches the handler, with its scope all does', async (path) => {
  await start();
  await expect(server.call(path, new Metadata())).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  const { scope } = rpcs[path.slice('/sky_genesis.'.length) as Rpc];
  const others = [...scopes].filter((other) => other !== scope);
  await expect(server.call(path, metadataOf(withScope(others.join(' '))))).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
  expect(server.handled).toEqual([]);
  await server.call(path, metadataOf(withScope(everyScope)));
  expect(server.handled).toMatchObject([{ path, messages: 1, context: { caller: { subject: 'ann', tenant: '~ann' } } }]);
});

test('a refusal has the reason in google.rpc.Status', async () => {
  await start();
  const error = await server.call('/sky_genesis.MailService/GetEmail', new Metadata()).catch((thrown: unknown) => thrown);
  const [details] = (error as { metadata: Metadata }).metadata.get('grpc-status-details-bin');
  expect(String(details)).toContain('UNAUTHENTICATED');
});

test('health is open', async () => {
  await start();
  await server.call('/grpc.health.v1.Health/Check', new Metadata());
});

describe.each(['v1', 'v1alpha'])('reflection %s', (version) => {
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;

  test('needs a token, of whatever scope', async () => {
    await start();
    await expect(server.call(path, new Metadata())).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    await server.call(path, metadataOf(withScope('')));
  });

  test('is open where it is set so', async () => {
    await start({ openReflection: true });
    await server.call(path, new Metadata());
  });
});

describe('anonymous calls', () => {
  test('are taken where they are allowed', async () => {
    await start({ allowAnonymous: true });
    await server.call('/sky_genesis.MailService/GetEmail', new Metadata());
    expect(server.handled[0]?.context?.caller).toBe(ANONYMOUS);
  });

  test.each(['Bearer bad', 'Bearer', ''])('a bad token is not anonymous: "%s"', async (authorization) => {
    await start({ allowAnonymous: true });
    const call = server.call('/sky_genesis.MailService/GetEmail', metadataOf({ authorization }));
    await expect(call).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  });
});

describe('a service token', () => {
  const path = '/sky_genesis.MailService/GetEmail';

  test('says which service calls', async () => {
    await start();
    const token = await serviceTokens.issue('api-gateway');
    await server.call(path, metadataOf({ ...withScope(everyScope), 'x-service-authorization': `Bearer ${token}` }));
    expect(server.handled[0]?.context).toMatchObject({ service: 'api-gateway', caller: { subject: 'ann' } });
  });

  test('that is bad has the call refused', async () => {
    await start();
    const metadata = metadataOf({ ...withScope(everyScope), 'x-service-authorization': 'Bearer bad' });
    await expect(server.call(path, metadata)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  });

  test('that comes twice has the call refused', async () => {
    await start();
    const metadata = metadataOf(withScope(everyScope));
    for (const service of ['mail', 'search']) metadata.add('x-service-authorization', `Bearer ${await serviceTokens.issue(service)}`);
    await expect(server.call(path, metadata)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  });

  test('without a caller stands for the service itself, where that may do something of its own', async () => {
    await start();
    const metadata = metadataOf({ 'x-service-authorization': `Bearer ${await serviceTokens.issue('mail')}` });
    await server.call('/sky_genesis.SearchService/IndexDocuments', metadata);
    expect(server.handled).toMatchObject([
      { context: { service: 'mail', caller: { service: 'mail', tenant: '', subject: 'service:mail' } } },
    ]);
    await expect(server.call(path, metadata)).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
  });

  test('of a caller gives the service no rights of its own', async () => {
    await start();
    const metadata = metadataOf({ ...withScope(''), 'x-service-authorization': `Bearer ${await serviceTokens.issue('mail')}` });
    await expect(server.call('/sky_genesis.SearchService/IndexDocuments', metadata)).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    });
  });

  test('replaces no caller', async () => {
    await start();
    const token = await serviceTokens.issue('api-gateway');
    const metadata = metadataOf({ 'x-service-authorization': `Bearer ${token}` });
    await expect(server.call(path, metadata)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    expect(server.handled).toEqual([]);
  });
});

describe('with mutual TLS', () => {
  const path = '/sky_genesis.SearchService/IndexDocuments';
  const files: TestFiles[] = [];
  afterEach(() => files.splice(0).forEach((side) => side.close()));

  /** A server of search, and a client that shows a certificate of these names. */
  async function startWith(names: Names): Promise<void> {
    const authority = new TestAuthority();
    files.push(...[{ dns: ['search'] }, names].map((shown) => new TestFiles(authority.issue(shown), authority.certificate)));
    const [ofServer, ofClient] = files.map(({ opened }) => new CertificateProvider(opened)) as [CertificateProvider, CertificateProvider];
    const interceptor = authInterceptor({ verifier, serviceTokens, allowAnonymous: false, openReflection: false });
    const secured = { ofServer: ofServer.serverCredentials(true), ofClient: ofClient.channelCredentials('search') };
    server = await ContractServer.start([interceptor], false, secured);
  }
  const tokenOf = async (service: string) => ({ 'x-service-authorization': `Bearer ${await serviceTokens.issue(service)}` });

  test.each<[string, Names]>([
    ['its DNS name', { dns: ['mail', 'localhost'] }],
    ['its SPIFFE id', { uris: ['spiffe://cluster.local/ns/sge/sa/mail'] }],
  ])('a service token is believed from the service itself, by %s', async (_what, names) => {
    await startWith(names);
    await server.call(path, metadataOf(await tokenOf('mail')));
    expect(server.handled).toMatchObject([{ context: { service: 'mail', caller: { service: 'mail' } } }]);
  });

  test.each<[string, Names, string]>([
    ['another service', { dns: ['api-gateway'] }, 'the token is that of mail, the certificate is not: api-gateway'],
    ['a common name', { commonName: 'mail' }, 'the token is that of mail, the certificate is not: no name'],
    ['a trust domain', { uris: ['spiffe://mail'] }, 'the token is that of mail, the certificate is not: spiffe://mail'],
  ])('from %s it is refused, whatever else the call has', async (_what, names, message) => {
    await startWith(names);
    const metadata = metadataOf({ ...withScope(everyScope), ...(await tokenOf('mail')), 'x-request-id': 'mine-1' });
    const error = await server.call(path, metadata).catch((thrown: unknown) => thrown);
    expect(fromServiceError(error as ServiceError)).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'PEER_NOT_ALLOWED', message });
    expect((error as ServiceError).metadata.get('x-request-id')).not.toEqual(['mine-1']);
    expect(server.handled).toEqual([]);
  });

  test('a bad token is a bad token', async () => {
    await startWith({ dns: ['mail'] });
    const call = server.call(path, metadataOf({ 'x-service-authorization': 'Bearer bad' }));
    await expect(call).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  });

  test('a certificate alone makes no service of its holder', async () => {
    await startWith({ dns: ['mail'] });
    await server.call(path, metadataOf(withScope(everyScope)));
    expect(server.handled[0]?.context).toMatchObject({ caller: { subject: 'ann' } });
    expect(server.handled[0]?.context?.service).toBeUndefined();
  });
});

describe('in early data', () => {
  const early = { ...withScope(everyScope), 'early-data': '1' };

  test.each(paths)('%s runs where it only reads; else its message is not read', async (path) => {
    await start({}, true);
    const call = server.call(path, metadataOf(early));
    if (readOnlyRpcs.has(path)) await call;
    else await expect(call).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(server.handled).toHaveLength(readOnlyRpcs.has(path) ? 1 : 0);
  });

  test('the refusal has its reason', async () => {
    await start({}, true);
    const error = await server.call('/sky_genesis.MailService/SendEmail', metadataOf(early)).catch((thrown: unknown) => thrown);
    expect(fromServiceError(error as ServiceError)).toMatchObject({ reason: 'TOO_EARLY' });
  });

  test.each(['/grpc.health.v1.Health/Check', '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'])('%s runs', async (path) => {
    await start({}, true);
    await server.call(path, metadataOf(early));
  });

  test('only a peer that is trusted, or a service, says so', async () => {
    const path = '/sky_genesis.MailService/SendEmail';
    await start();
    await server.call(path, metadataOf(early));
    const service = { 'x-service-authorization': `Bearer ${await serviceTokens.issue('api-gateway')}` };
    await expect(server.call(path, metadataOf({ ...early, ...service }))).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(server.handled).toHaveLength(1);
  });
});

test.each<[string, boolean]>([
  ['api-gateway', true],
  ['', false],
])('the request id of a peer that is not trusted counts where a service calls: "%s"', async (service, counts) => {
  await start();
  const token = service && `Bearer ${await serviceTokens.issue(service)}`;
  const metadata = metadataOf({ ...withScope(everyScope), 'x-request-id': 'mine-1', 'x-service-authorization': token || undefined });
  await server.call('/sky_genesis.MailService/GetEmail', metadata);
  expect(server.handled[0]?.context?.requestId === 'mine-1').toBe(counts);
});

test('a call that is late once its caller is known does not reach its handler', async () => {
  const busy = { verify: async () => (await Promise.resolve(), spin(150), ANONYMOUS) } as unknown as TokenVerifier;
  await start({ verifier: busy });
  const path = '/sky_genesis.MailService/GetEmail';
  const late = server.call(path, metadataOf({ ...withScope('mail.read'), 'grpc-timeout': '100m' }));
  await expect(late).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  expect(server.handled).toEqual([]);
});

/** Lets no timer fire meanwhile. */
function spin(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}
