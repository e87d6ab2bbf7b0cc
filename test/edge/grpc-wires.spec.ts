import { createHash } from 'node:crypto';
import type {
  FileChunk,
  GetEmailResponse,
  SubmitEmailResponse,
  SubmitEmailsResponse,
  UploadResponse,
  WatchEventsResponse,
} from '@sky-genesis/proto';
import { EdgeMemory } from './edge-memory';
import type { EdgeWire } from './edge.wire';
import { bearer, type EdgeSystem, startEdgeSystem } from './edge-system';
import { cancelledCalls, untilCancelled } from './ended-calls';
import { decoded, encoded, errorOf } from './rpc';
import { grpcWires } from './wires';

const MIB = 1024 * 1024;
const MAIL = '/sky_genesis.MailService';
const FILES = '/sky_genesis.StreamingService';
const SEARCH = '/sky_genesis.SearchService';
const mail = { from: 'sender@example.com', to: ['recipient@example.com'], subject: 'over the edge' };

let running: EdgeSystem;
beforeAll(async () => {
  running = await startEdgeSystem();
}, 90_000);
afterAll(() => running?.stop());

describe.each(grpcWires)('gRPC over %s', (_name, open) => {
  let wire: EdgeWire;
  let grpc: NonNullable<EdgeWire['grpc']>;
  beforeAll(async () => {
    wire = await open(running.edge);
    grpc = (call) => wire.grpc!({ ...call, metadata: { ...bearer(), ...call.metadata } });
  });
  afterAll(() => wire?.close());

  test('a unary call: grpc-status 0 is in the trailers, and both ends saw the same protocol', async () => {
    const path = `${MAIL}/SubmitEmail`;
    const answer = await grpc({ path, requests: [encoded(path, { email: mail })], metadata: { 'x-request-id': `unary-${wire.proto}` } });
    expect(answer).toMatchObject({ proto: wire.proto, httpStatus: 200, status: 0, trailers: { 'grpc-status': '0' } });
    expect(answer.headers).toMatchObject({
      'content-type': expect.stringMatching(/^application\/grpc/),
      'x-request-id': `unary-${wire.proto}`,
    });
    expect(answer.headers['alt-svc']).toBe(`h3=":${running.edge.port}"; ma=86400`);
    const [{ messageId }] = decoded<SubmitEmailResponse>(path, answer) as [SubmitEmailResponse];
    const line = await running.edge.line(({ request_id }) => request_id === `unary-${wire.proto}`);
    expect(line).toMatchObject({ protocol: wire.proto, status: 200, grpc_status: '0', early_data: false });

    const get = `${MAIL}/GetEmail`;
    const [read] = decoded<GetEmailResponse>(get, await grpc({ path: get, requests: [encoded(get, { id: messageId })] }));
    expect(read).toMatchObject({ email: { subject: mail.subject } });
  });

  test('an error keeps its code, its message and its details', async () => {
    const path = `${MAIL}/SubmitEmail`;
    const answer = await grpc({ path, requests: [encoded(path, { email: { from: 'nobody', to: [] } })] });
    expect(answer).toMatchObject({ httpStatus: 200, status: 3, responses: [] });
    const { reason, details } = errorOf(answer);
    expect(reason).toBe('INVALID_ARGUMENT');
    expect(details.violations?.map(({ field }) => field).sort()).toEqual(['email.from', 'email.to']);
  });

  test('without a token, and for a call that the contract does not have, the service itself answers', async () => {
    const path = `${MAIL}/GetEmail`;
    const nobody = await wire.grpc!({ path, requests: [encoded(path, { id: 'msg_1' })] });
    expect([nobody.status, errorOf(nobody).reason]).toEqual([16, 'UNAUTHENTICATED']);
    expect(await grpc({ path: `${MAIL}/NoSuchCall`, requests: [Buffer.alloc(0)] })).toMatchObject({ status: 12 });
    expect(await grpc({ path: '/sky_genesis.NoSuchService/Call', requests: [Buffer.alloc(0)] })).toMatchObject({ status: 12 });
  });

  test('each service is found by its name: mail, search, files, health', async () => {
    const calls: [path: string, request: object][] = [
      [`${MAIL}/ListEmails`, {}],
      [`${SEARCH}/Search`, { query: 'edge' }],
      [`${FILES}/CreateUpload`, {}],
      ['/grpc.health.v1.Health/Check', { service: 'sky_genesis.MailService' }],
    ];
    for (const [path, request] of calls) {
      expect([path, (await grpc({ path, requests: [encoded(path, request)] })).status]).toEqual([path, 0]);
    }
  });

  test('a server stream comes as it happens, and its cancellation is seen by the service within 100 ms', async () => {
    const path = `${MAIL}/WatchEvents`;
    await submitted();
    const before = await cancelledCalls('WatchEvents');
    const answer = await grpc({ path, requests: [encoded(path, { after: '0' })], cancelAfterResponses: 2 });
    const seenAfterMs = await untilCancelled('WatchEvents', before);
    const events = decoded<WatchEventsResponse>(path, answer).flatMap((response) => response.events);
    expect(events[0]).toMatchObject({ cursor: '1', type: 'email.queued' });
    expect(seenAfterMs).toBeLessThan(100);
  });

  test('a stream both ways: each answer comes before the next request goes', async () => {
    const path = `${MAIL}/SubmitEmails`;
    const requests = ['a', 'b', 'c', 'd'].map((requestRef) => encoded(path, { requests: [{ email: mail, requestRef }] }));
    const answer = await grpc({ path, requests, pingPong: true });
    expect(answer).toMatchObject({ status: 0, trailers: { 'grpc-status': '0' } });
    const refs = decoded<SubmitEmailsResponse>(path, answer).flatMap(({ results }) => results.map(({ requestRef }) => requestRef));
    expect(refs).toEqual(['a', 'b', 'c', 'd']);
  });

  test('100 MiB up in a client stream and down in a server stream, while the edge holds less than 32 MiB', async () => {
    const data = Buffer.alloc(MIB, `${wire.name} `);
    const hash = createHash('sha256');
    for (let part = 0; part < 100; part++) hash.update(data);
    const sha256 = hash.digest('hex');
    const memory = new EdgeMemory(running.edge);

    const up = `${FILES}/UploadFile`;
    const requests = Array.from({ length: 100 }, (_, part) => encoded(up, { offset: String(part * MIB), data, last: part === 99 }));
    const uploaded = await grpc({ path: up, requests, timeoutMs: 60_000 });
    expect(uploaded).toMatchObject({ status: 0, proto: wire.proto });
    const [file] = decoded<UploadResponse>(up, uploaded);
    expect(file).toMatchObject({ size: String(100 * MIB), sha256 });

    const down = `${FILES}/DownloadFile`;
    const downloaded = await grpc({ path: down, requests: [encoded(down, { fileId: file!.fileId })], timeoutMs: 60_000 });
    expect(downloaded).toMatchObject({ status: 0 });
    const seen = createHash('sha256');
    for (const chunk of decoded<FileChunk>(down, downloaded)) seen.update(chunk.data);
    expect(seen.digest('hex')).toBe(sha256);
    expect(memory.stop()).toBeLessThan(32 * MIB);
  }, 120_000);

  test('32 KiB of metadata pass; more than the service takes is refused with the bound', async () => {
    const path = `${MAIL}/ListEmails`;
    const ask = (bytes: number) =>
      grpc({
        path,
        requests: [encoded(path, {})],
        metadata: Object.fromEntries(Array.from({ length: 4 }, (_, part) => [`x-part-${part}`, 'm'.repeat(bytes / 4)])),
      });
    expect(await ask(32 * 1024 - 1024)).toMatchObject({ status: 0 });
    const refused = await ask(40 * 1024);
    expect([refused.status, errorOf(refused).reason]).toEqual([8, 'METADATA_TOO_LARGE']);
  });

  test('a deadline is the service’s to keep: DEADLINE_EXCEEDED when it passes', async () => {
    const path = `${SEARCH}/Search`;
    const askedAt = Date.now();
    const answer = await grpc({ path, requests: [encoded(path, { query: 'edge', waitForId: 'doc_never' })], timeoutMs: 500 });
    expect(answer.status).toBe(4);
    expect(Date.now() - askedAt).toBeGreaterThanOrEqual(100);
    expect(Date.now() - askedAt).toBeLessThan(3000);
  });

  async function submitted(): Promise<void> {
    const path = `${MAIL}/SubmitEmail`;
    expect(await grpc({ path, requests: [encoded(path, { email: mail })] })).toMatchObject({ status: 0 });
  }
});
