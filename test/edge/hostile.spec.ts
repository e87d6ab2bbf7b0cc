import { bearer, type EdgeSystem, startEdgeSystem } from './edge-system';
import type { EdgeWire } from './edge.wire';
import { Http2Wire } from './http2.wire';
import { Http3Wire } from './http3.wire';
import { type Passed, RecordingUpstreams } from './recording-upstreams';
import { errorOf } from './rpc';
import { versions } from './wires';

const running = RecordingUpstreams.forSuite();

/** What a client says of itself, and may not. */
const LIES = {
  'x-service-authorization': 'Bearer of.a.service',
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-proto': 'http',
  'x-forwarded-host': 'evil.example',
  forwarded: 'for=203.0.113.9;host=evil.example',
  'early-data': '1',
  'x-request-id': 'odd "id"\\',
};

function expectTruth({ headers }: Passed): void {
  expect(headers).toMatchObject({
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': `localhost:${running.edge.port}`,
    'x-request-id': expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  for (const name of ['x-service-authorization', 'forwarded', 'early-data']) expect(headers).not.toHaveProperty(name);
}

describe.each(versions)('over %s', (name, open) => {
  let wire: EdgeWire;
  beforeEach(async () => {
    running.upstreams.take();
    wire = await open(running.edge);
  });
  afterEach(() => wire.close());

  test('what a client says of itself ends at the edge, on REST and on gRPC', async () => {
    expect(await wire.rest({ method: 'GET', path: '/api/v1/mail', headers: LIES })).toMatchObject({ status: 200 });
    if (wire.grpc)
      expect(await wire.grpc({ path: '/sky_genesis.MailService/GetEmail', metadata: LIES, requests: [] })).toMatchObject({ status: 0 });
    const passed = running.upstreams.take();
    expect(passed).toHaveLength(wire.grpc ? 2 : 1);
    passed.forEach(expectTruth);
  });

  if (name === 'HTTP/1.1') return;

  test.each([
    ['CR and LF', { 'x-a': 'a\r\nx-service-authorization: Bearer x' }],
    ['LF', { 'x-a': 'a\nx-service-authorization: Bearer x' }],
    ['NUL', { 'x-a': 'a\0b' }],
    ['a path without a slash', { ':path': 'api/v1/x' }],
    ['a path with a space', { ':path': '/api/v1/x HTTP/1.1\r\nx-a: b' }],
    ['a whole URL as path', { ':path': 'https://localhost/api/v1/x' }],
    ['a Host that is not the authority', { ':authority': 'localhost', host: 'evil.example' }],
    ['an authority with a user', { ':authority': 'user@localhost' }],
    ['an authority with a path', { ':authority': 'localhost/api' }],
    ['a method with a space', { ':method': 'GET /api' }],
  ])('what would be another request on HTTP/1.1 is 400, and is not passed on: %s', async (_what, headers) => {
    const answer = await wire.rest({ method: 'GET', path: '/api/v1/x', headers: headers as Record<string, string> });
    expect(answer).toMatchObject({ status: 400, headers: { 'content-type': 'application/problem+json' } });
    expect(JSON.parse(answer.body!.toString())).toMatchObject({ code: 'MALFORMED_REQUEST' });
    expect(running.upstreams.take()).toEqual([]);
  });
});

const fields = (count: number, length: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, '~'.repeat(length)]));
const CALL = { path: '/sky_genesis.MailService/GetEmail', requests: [] };

test('headers over the bound: HTTP/3 resets the stream of a field over 48 KiB, and answers 192 KiB together', async () => {
  const wire = await Http3Wire.open(running.edge);
  const read = { method: 'GET', path: '/api/v1/x' };
  expect(await wire.rest({ ...read, headers: fields(1, 60_000) })).toMatchObject({ error: expect.stringContaining('H3_EXCESSIVE_LOAD') });
  expect(await wire.rest({ ...read, headers: fields(9, 30_000) })).toMatchObject({ status: 431 });
  const refused = await wire.grpc({ ...CALL, metadata: fields(9, 30_000) });
  expect([refused.httpStatus, refused.status, errorOf(refused).reason]).toEqual([200, 8, 'METADATA_TOO_LARGE']);
  // The connection goes on.
  expect(await wire.rest({ method: 'GET', path: '/health/ready' })).toMatchObject({ status: 200 });
  await wire.close();
});

test('headers over the bound: HTTP/2 ends the connection and says why', async () => {
  for (const headers of [fields(1, 60_000), fields(9, 30_000)]) {
    const wire = await Http2Wire.open(running.edge);
    // ENHANCE_YOUR_CALM
    expect(await wire.rest({ method: 'GET', path: '/api/v1/x', headers })).toMatchObject({
      error: expect.stringContaining('error code 11'),
    });
    await wire.close();
  }
});

describe('before the real apps', () => {
  let running: EdgeSystem;
  beforeAll(async () => {
    running = await startEdgeSystem();
  }, 90_000);
  afterAll(() => running?.stop());

  test.each(versions)('no path leads to what is not for outside, over %s', async (_name, open) => {
    const wire = await open(running.edge);
    const up = ['..', '%2e%2e', '.%2e', '..;', '..%00', '..%5c', '..\\', ';/..', '.../..'];
    const paths = [
      ...up.flatMap((step) => [
        `/api/${step}/metrics`,
        `/api/v1/${step}/${step}/metrics`,
        `/health/${step}/metrics`,
        `/health/ready/${step}/${step}/metrics`,
      ]),
      ...[
        '/api/..%2fmetrics',
        '/api/..%252fmetrics',
        '/api/%2e%2e%2fmetrics',
        '/api//../metrics',
        '//metrics',
        '///metrics',
        '/./metrics',
        '/metrics/',
        '/metrics?/api/',
        '/metrics;/api/',
      ],
      ...[
        '/%6detrics',
        '/METRICS',
        '/api\\..\\metrics',
        '/api/x/../../metrics',
        '/sky_genesis.MailService/../metrics',
        '/api',
        '/malformed_request_400',
      ],
    ];
    for (const path of paths) {
      const { status, error, body, headers } = await wire.rest({ method: 'GET', path, headers: bearer() });
      expect([path, status ?? error]).toEqual([path, expect.any(Number)]);
      expect([path, status! >= 400 && status! < 500]).toEqual([path, true]);
      expect([path, headers['content-type']]).toEqual([path, expect.stringContaining('application/problem+json')]);
      expect(body!.toString()).not.toContain('process_cpu');
    }
    await wire.close();
  });
});
