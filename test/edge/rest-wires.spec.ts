import { createHash } from 'node:crypto';
import { cancelledCalls, untilCancelled } from './ended-calls';
import { EdgeMemory } from './edge-memory';
import { type EdgeWire, patternOf, type RestAnswer } from './edge.wire';
import { bearer, type EdgeSystem, startEdgeSystem } from './edge-system';
import { restWires } from './wires';

const MIB = 1024 * 1024;
const JSON_BODY = { 'content-type': 'application/json' };
const mail = (subject: string) => Buffer.from(JSON.stringify({ to: ['recipient@example.com'], from: 'sender@example.com', subject }));

let running: EdgeSystem;
beforeAll(async () => {
  running = await startEdgeSystem();
}, 90_000);
afterAll(() => running?.stop());

describe.each(restWires)('REST over %s', (_name, open) => {
  let wire: EdgeWire;
  let rest: EdgeWire['rest'];
  beforeAll(async () => {
    wire = await open(running.edge);
    rest = (call) => wire.rest({ ...call, headers: { ...bearer(), ...call.headers } });
  });
  afterAll(() => wire?.close());

  test('a mail is sent and read, and both ends saw the same protocol', async () => {
    const headers = { ...JSON_BODY, 'x-request-id': `send-${wire.name.replace(/[^\w/.]/g, '')}` };
    const sent = await rest({ method: 'POST', path: '/api/v1/mail/send', headers, body: mail(wire.name) });
    expect(sent).toMatchObject({ proto: wire.proto, status: 202 });
    expect(sent.headers).toMatchObject({
      'x-request-id': headers['x-request-id'],
      'alt-svc': `h3=":${running.edge.port}"; ma=86400`,
      'strict-transport-security': 'max-age=31536000',
    });
    expect(sent.headers['server'] ?? '').not.toMatch(/\d/);
    const read = await rest({ method: 'GET', path: sent.headers['location']! });
    expect(json(read)).toMatchObject({ subject: wire.name });
    expect(await running.edge.line(({ request_id }) => request_id === headers['x-request-id'])).toMatchObject({
      protocol: wire.proto,
      method: 'POST',
      status: 202,
    });
  });

  test('an error of the gateway is the gateway’s: problem+json that names every field', async () => {
    const answer = await rest({ method: 'POST', path: '/api/v1/mail/send', headers: JSON_BODY, body: Buffer.from('{"from":"nobody"}') });
    expect(answer).toMatchObject({ status: 400, headers: { 'content-type': expect.stringContaining('application/problem+json') } });
    expect(json(answer)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      errors: expect.arrayContaining([expect.objectContaining({ field: 'from' })]),
    });
  });

  test.each(['/metrics', '/api/../metrics', '/', '/health/ready/../../metrics', '//metrics', '/sky_genesis'])(
    'what is not for outside is 404 problem+json: %s',
    async (path) => {
      const answer = await rest({ method: 'GET', path });
      expect(answer).toMatchObject({ status: 404, headers: { 'content-type': 'application/problem+json' } });
      expect(json(answer)).toEqual({
        status: 404,
        title: 'Not Found',
        detail: expect.any(String),
        code: 'ROUTE_NOT_FOUND',
        request_id: answer.headers['x-request-id'],
      });
    },
  );

  test('the edge tells its own health', async () => {
    expect(json(await rest({ method: 'GET', path: '/health/ready' }))).toEqual({ status: 'ok', protocol: wire.proto });
  });

  test('100 MiB up and down, byte for byte, while the edge holds less than 32 MiB', async () => {
    const hash = createHash('sha256');
    for (const piece of patternOf(100 * MIB)) hash.update(piece);
    const sha256 = hash.digest('hex');
    const memory = new EdgeMemory(running.edge);
    const up = await rest({ method: 'PUT', path: '/api/v1/files/by-name/big.bin', bodyBytes: 100 * MIB, timeoutMs: 60_000 });
    expect(up).toMatchObject({ status: 201, proto: wire.proto });
    expect(json(up)).toMatchObject({ size: 100 * MIB, sha256 });
    const down = await rest({ method: 'GET', path: up.headers['location']!, timeoutMs: 60_000 });
    expect(down).toMatchObject({ status: 200, bodyBytes: 100 * MIB, bodySha256: sha256, headers: { 'content-length': String(100 * MIB) } });
    expect(memory.stop()).toBeLessThan(32 * MIB);

    const headers = { range: 'bytes=1048576-1048579' };
    const part = await rest({ method: 'GET', path: up.headers['location']!, headers });
    expect(part).toMatchObject({ status: 206, headers: { 'content-range': `bytes 1048576-1048579/${100 * MIB}` } });
    expect(part.body).toEqual(Buffer.from([0, 1, 2, 3].map((at) => (1048576 + at) % 251)));
    const head = await rest({ method: 'HEAD', path: up.headers['location']! });
    expect(head).toMatchObject({ status: 200, bodyBytes: 0, headers: { etag: expect.any(String) } });
  }, 120_000);

  test('events stream as they come, and a client that goes away is seen by the service within 100 ms', async () => {
    await rest({ method: 'POST', path: '/api/v1/mail/send', headers: JSON_BODY, body: mail('an event') });
    const before = await cancelledCalls('WatchEvents');
    const headers = { accept: 'text/event-stream' };
    const began = Date.now();
    const answer = await rest({ method: 'GET', path: '/api/v1/events?after=0', headers, cancelAfterMs: 500 });
    const seenAfterMs = await untilCancelled('WatchEvents', before);
    expect(answer).toMatchObject({
      proto: wire.proto,
      status: 200,
      headers: { 'content-type': expect.stringContaining('text/event-stream') },
    });
    expect(Date.now() - began).toBeGreaterThanOrEqual(500);
    expect(seenAfterMs).toBeLessThan(100);
  });

  test('an odd or overlong X-Request-Id is replaced, and what a client says of its address and of early data is not believed', async () => {
    for (const given of ['x'.repeat(129), 'spaces and "quotes"']) {
      const headers = { 'x-request-id': given, 'x-forwarded-for': '203.0.113.9', 'early-data': '1', forwarded: 'for=203.0.113.9' };
      const answer = await rest({ method: 'POST', path: '/api/v1/mail/send', headers: { ...JSON_BODY, ...headers }, body: mail('lies') });
      // Not 425: this is no early data, whatever the client says.
      expect(answer.status).toBe(202);
      expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
      const line = await running.edge.line(({ request_id }) => request_id === answer.headers['x-request-id']);
      expect(line).toMatchObject({ client: '127.0.0.1', early_data: false });
    }
  });
});

const json = ({ body }: RestAnswer): unknown => JSON.parse(body!.toString());
