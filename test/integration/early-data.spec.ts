import { type Client, credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import { FileClient } from './file-client';
import { TestSystem, token } from './test-system';

/** Its peers, all on loopback, are trusted by default. */
let behindProxy: TestSystem;
let files: FileClient;
/** Here they are not. */
let direct: TestSystem;
beforeAll(async () => {
  behindProxy = await TestSystem.start({ MAIL_WORKER: 'false' });
  files = new FileClient(behindProxy.grpcUrl);
  direct = await TestSystem.start({ MAIL_WORKER: 'false', TRUSTED_PROXIES: '' });
}, 60_000);
afterAll(async () => {
  files?.close();
  await behindProxy?.stop();
  await direct?.stop();
});

const EARLY = { 'early-data': '1' };
const EMAIL = { from: 'sender@example.com', to: ['recipient@example.com'], subject: 's', body: 'b' };
const UUID = /^[0-9a-f-]{36}$/;

/** The request id under which mail took a call. */
async function requestIdOf({ grpcUrl }: TestSystem, given: string): Promise<unknown> {
  const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
    sky_genesis: { MailService: new (address: string, secure: unknown) => Client & { getEmail(...args: unknown[]): void } };
  };
  const client = new contract.MailService(grpcUrl, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('x-request-id', given);
  const error = await new Promise<ServiceError>((resolve) => client.getEmail({ id: 'x' }, metadata, resolve));
  client.close();
  return error.metadata.get('x-request-id')[0];
}

describe('what a trusted peer says came in early data', () => {
  const TABLES = ['email', 'recipient', 'job', 'event', 'idempotency_key', 'tenant_counter'];
  const stored = () => Promise.all(TABLES.map((table) => behindProxy.database.query(`select * from ${table} order by 1, 2`)));

  test('sends no mail: 425 and UNAVAILABLE, and nothing is stored', async () => {
    const before = await stored();
    const answer = await behindProxy.rest('POST', '/api/v1/mail/send', { body: EMAIL, headers: EARLY });
    expect([answer.status, answer.body.code]).toEqual([425, 'TOO_EARLY']);
    for (const method of ['sendEmail', 'submitEmail']) {
      const error = await behindProxy.grpcError(method, { email: EMAIL }, { metadata: EARLY });
      expect([error.code, error.reason]).toEqual(['UNAVAILABLE', 'TOO_EARLY']);
    }
    expect(await stored()).toEqual(before);
  });

  test('is sent once when it comes again after the handshake, and never again', async () => {
    const sent = await behindProxy.rest('POST', '/api/v1/mail/send', { body: EMAIL });
    expect(sent.status).toBe(202);
    const once = await stored();
    for (let replays = 0; replays < 10; replays++) {
      expect((await behindProxy.rest('POST', '/api/v1/mail/send', { body: EMAIL, headers: EARLY })).status).toBe(425);
    }
    expect(await stored()).toEqual(once);
  });

  test('reads', async () => {
    expect((await behindProxy.rest('GET', '/api/v1/mail', { headers: EARLY })).status).toBe(200);
    expect(await behindProxy.grpc('listEmails', {}, { metadata: EARLY })).toHaveProperty('emails');
  });

  test('completes no upload, though it only asks how far it has come', async () => {
    const upload = files.begin();
    await upload.send({ filename: 'a', totalSize: '3', data: Buffer.from('abc') });
    const id = await upload.fileId;
    upload.end().catch(() => undefined);
    expect(await upload.error()).toMatchObject({ reason: 'UPLOAD_INCOMPLETE' });
    const statusOf = async (path: string, headers: Record<string, string>) =>
      (await fetch(`${behindProxy.url}${path}/${id}`, { method: 'HEAD', headers: { authorization: `Bearer ${token()}`, ...headers } }))
        .status;
    const progress = (headers: Record<string, string>) => statusOf('/api/v1/uploads', { 'tus-resumable': '1.0.0', ...headers });
    const file = () => statusOf('/api/v1/files', {});
    expect([await progress(EARLY), await file()]).toEqual([425, 404]);
    expect([await progress({}), await file()]).toEqual([200, 200]);
    expect(await progress(EARLY)).toBe(200);
  });
});

describe('a peer that is not trusted', () => {
  test('says nothing of early data', async () => {
    const answer = await direct.rest('POST', '/api/v1/mail/send', { body: EMAIL, headers: EARLY });
    expect(answer.status).toBe(202);
    expect(await direct.grpc('sendEmail', { email: EMAIL }, { metadata: EARLY })).toHaveProperty('messageId');
  });

  test('does not choose the request id, on both wires', async () => {
    const asked = (system: TestSystem) => system.rest('GET', '/api/v1/mail', { headers: { 'x-request-id': 'mine-1' } });
    expect((await asked(behindProxy)).headers.get('x-request-id')).toBe('mine-1');
    expect((await asked(direct)).headers.get('x-request-id')).toMatch(UUID);
    expect(await requestIdOf(behindProxy, 'mine-1')).toBe('mine-1');
    expect(await requestIdOf(direct, 'mine-1')).toMatch(UUID);
  });
});
