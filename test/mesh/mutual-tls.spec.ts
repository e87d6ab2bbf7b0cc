import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, credentials, loadPackageDefinition, Metadata, type ServiceClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { ServiceTokens } from '@sky-genesis/auth';
import { fromServiceError } from '@sky-genesis/grpc';
import { loadPackage } from '@sky-genesis/proto';
import { eventually } from '../eventually';
import { createDatabase, type TestDatabase } from '../integration/test-database';
import { ROOT } from '../root';
import { EdgeClients } from './edge.clients';
import { bearer, MeshSystem } from './mesh-system';
import { SteadyCalls } from './steady.calls';

const APPS = ['mail', 'search', 'api-gateway', 'edge'];
const PEERS = 'api-gateway=MailService+StreamingService+SearchService,mail=SearchService,search=MailService,edge=*';
/** The shortest: standing connections end with the certificates that they were made with. */
const CONNECTION_AGE = 10;

const folder = mkdtempSync(join(tmpdir(), 'sge-mesh-tls-'));
let databases: { mail: TestDatabase; search: TestDatabase };
let system: MeshSystem;

/** As somebody makes them who runs it. */
const makeCertificates = (...options: string[]): void =>
  void execFileSync(process.execPath, [join(ROOT, 'tools/dist/certs/main.js'), ...options], { stdio: 'ignore' });
const read = (name: string): Buffer => readFileSync(join(folder, name));
function replace(name: string, content: string | Buffer): void {
  writeFileSync(join(folder, `${name}.new`), content, { mode: 0o600 });
  renameSync(join(folder, `${name}.new`), join(folder, name));
}

beforeAll(async () => {
  makeCertificates('--to', folder, '--names', [...APPS, 'stranger'].join(','));
  databases = { mail: await createDatabase(), search: await createDatabase() };
  system = await MeshSystem.start({
    databases: { mail: databases.mail.url, search: databases.search.url },
    mails: 1,
    searches: 1,
    gateways: 1,
    edge: true,
    certificates: folder,
    settings: { GRPC_TLS_PEERS: PEERS, GRPC_CONNECTION_AGE_SECONDS: String(CONNECTION_AGE) },
  });
}, 120_000);
afterAll(async () => {
  await system?.stop();
  await Promise.all([databases.mail.drop(), databases.search.drop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** One call straight to a service, by a certificate of the folder; gives the error. */
async function refusalOf(certificate: string, service: 'MailService' | 'SearchService', method: string, request: object, more = {}) {
  const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
    sky_genesis: Record<string, ServiceClientConstructor>;
  };
  const [app] = service === 'MailService' ? system.mails : system.searches;
  const secure = credentials.createSsl(read('ca.pem'), read(`${certificate}.key`), read(`${certificate}.pem`));
  const client = new contract[service]!(app!.address, secure) as Client & Record<string, (...args: unknown[]) => void>;
  const metadata = new Metadata();
  for (const [name, value] of Object.entries({ authorization: bearer(), ...more })) metadata.set(name, value);
  try {
    return await new Promise((resolve) =>
      client[method]!(request, metadata, { deadline: Date.now() + 10_000 }, (error: ServiceError | null, answer: unknown) =>
        resolve(error ? fromServiceError(error) : answer),
      ),
    );
  } finally {
    client.close();
  }
}

test('everything goes on by mutual TLS: REST, gRPC through the edge, and the feed to search', async () => {
  const clients = new EdgeClients(system.edge!);
  const headers = { authorization: bearer(), 'content-type': 'application/json', 'idempotency-key': 'tls1' };
  const body = JSON.stringify({ from: 'sender@example.com', to: ['recipient@example.com'], subject: 'overtls', body: 'a mail' });
  const { message_id: id } = JSON.parse((await clients.rest('POST', '/api/v1/mail/send', headers, body)).body) as { message_id: string };
  expect((await clients.mail.getEmail({ id }, headers)).email?.subject).toBe('overtls');
  const found = await eventually(
    () => clients.rest('GET', '/api/v1/search?q=overtls', { authorization: bearer() }),
    (answer) => answer.body.includes(id),
  );
  expect(found.status).toBe(200);
  clients.close();
});

test('a certificate of the CA that GRPC_TLS_PEERS does not name may call nothing, and it is told which and what', async () => {
  expect(await refusalOf('stranger', 'MailService', 'listEmails', {})).toMatchObject({
    reason: 'PEER_NOT_ALLOWED',
    message: expect.stringMatching(/stranger.* may not call MailService/),
  });
  expect(await refusalOf('mail', 'MailService', 'listEmails', {})).toMatchObject({ reason: 'PEER_NOT_ALLOWED' });
  expect(await refusalOf('api-gateway', 'MailService', 'listEmails', {})).toMatchObject({ emails: expect.any(Array) });
});

test("a service's token gives the right to `tenant` and `source` only with that service's own certificate", async () => {
  const token = await new ServiceTokens(system.serviceKey).issue('mail');
  const request = { document: { id: 'doc_1', title: 'a title' }, tenant: 'another', source: 'email' };
  const asMail = { 'x-service-authorization': `Bearer ${token}` };
  expect(await refusalOf('api-gateway', 'SearchService', 'indexDocument', request, asMail)).toMatchObject({
    reason: 'PEER_NOT_ALLOWED',
    message: expect.stringContaining('the token is that of mail'),
  });
  const stored = await databases.search.query<{ count: string }>(`select count(*) from document where tenant = 'another'`);
  expect(stored).toEqual([{ count: '0' }]);
});

test('the CA and every pair are replaced under load, and a key is overwritten with garbage: no call fails, and the alarm is raised', async () => {
  const calls = new SteadyCalls(
    [`${system.gateways[0]!.healthUrl}/api/v1/mail?page_size=1`, `${system.gateways[0]!.healthUrl}/api/v1/search?q=a`],
    50,
  );
  const broken = (app = system.mails[0]!) => app.metric('grpc_tls_files_broken');
  const good = read('mail.key');
  replace('mail.key', 'garbage');
  await eventually(
    () => broken(),
    (is) => is === 1,
  );
  replace('mail.key', good);
  await eventually(
    () => broken(),
    (is) => is === 0,
  );

  const next = mkdtempSync(join(tmpdir(), 'sge-mesh-tls-'));
  makeCertificates('--to', next, '--names', APPS.join(','));
  const inNext = (name: string) => readFileSync(join(next, name));
  const expiry = (app = system.mails[0]!) => app.metric('grpc_tls_certificate_expiry_timestamp_seconds');
  const before = await expiry();
  const settled = (ms: number) => {
    const until = calls.now + ms;
    return eventually(
      () => calls.now,
      (now) => now > until,
    );
  };
  replace('ca.pem', Buffer.concat([read('ca.pem'), inNext('ca.pem')]));
  await settled(3000);
  for (const name of APPS) for (const file of [`${name}.key`, `${name}.pem`]) replace(file, inNext(file));
  await eventually(
    () => expiry(),
    (at) => at > before,
  );
  // Until the last connection of before is gone, a tenth more at most.
  await settled(CONNECTION_AGE * 1100 + 2000);
  replace('ca.pem', inNext('ca.pem'));
  await settled(CONNECTION_AGE * 1100 + 2000);
  await calls.stop();
  console.info(`${calls.failed.length} of ${calls.answered.length} calls failed`);
  expect(calls.failed).toEqual([]);
  expect(calls.answered.length).toBeGreaterThan(500);
  expect(JSON.stringify(system.mails[0]!.lines)).toContain('What was read before stays in use');
  rmSync(next, { recursive: true, force: true });
}, 120_000);
