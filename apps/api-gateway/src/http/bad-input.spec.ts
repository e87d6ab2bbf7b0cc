import { issueToken } from '@sky-genesis/auth';
import { AUTH, GatewayFixture, tokenFor } from '../../testing/gateway.fixture';

const LIMIT = 65_536;
const fixture = new GatewayFixture();
beforeAll(() => fixture.start({ GRPC_MAX_MESSAGE_SIZE: String(LIMIT) }));
afterAll(() => fixture.stop());
beforeEach(() => fixture.mail.calls.splice(0));
/** Whatever was asked, nothing has reached the service, and the next request is served. */
afterEach(async () => {
  expect(fixture.mail.calls).toEqual([]);
  expect((await fixture.ask('/health/live')).status).toBe(200);
});

const fieldsOf = (json: { errors?: { field: string }[] }) => json.errors?.map(({ field }) => field);

describe('a body', () => {
  test.each<[string, string, string[]]>([
    ['a wrong type', '{"to":"a@example.com"}', ['to']],
    [
      'wrong types, all at once',
      '{"from":1,"to":[null,"a@example.com",{}],"subject":[],"headers":[]}',
      ['from', 'to[0]', 'to[2]', 'subject', 'headers'],
    ],
    ['null', '{"to":[],"body":null}', ['body']],
    ['a wrong type in a map', '{"headers":{"X-A":1},"metadata":{"k":{}}}', ['headers[X-A]', 'metadata[k]']],
    ['unknown fields', '{"too":[],"x":1}', ['too', 'x']],
    ['a misspelled field', '{"htmlBody":""}', ['htmlBody']],
    ['what the server sets', '{"id":"1","timestamp":1}', ['id', 'timestamp']],
    ['the size of an attachment', '{"attachments":[{},{"size":5}]}', ['attachments[1].size']],
    [
      'no base64',
      '{"attachments":[{"content":"SGVsbG8"},{"content":"SGVs bG8="},{"content":"-_=="}]}',
      [0, 1, 2].map((at) => `attachments[${at}].content`),
    ],
    ['a fraction', '{"send_at":1.5}', ['send_at']],
    ['a negative time', '{"send_at":-1}', ['send_at']],
    ['more than 2^53-1', '{"send_at":9007199254740992,"expires_at":1e400}', ['send_at', 'expires_at']],
    ['a number as text', '{"expires_at":"5"}', ['expires_at']],
    ['an unknown word', '{"on_uncertain":"HOLD"}', ['on_uncertain']],
    ['__proto__', '{"__proto__":{"from":"x"}}', ['__proto__']],
    ['a header named __proto__', '{"headers":{"__proto__":"x"}}', ['headers[__proto__]']],
    ['a key of metadata named __proto__', '{"metadata":{"__proto__":"x"}}', ['metadata[__proto__]']],
    ['constructor as a field', '{"constructor":{"prototype":{}}}', ['constructor']],
    ['half a surrogate pair', '{"subject":"\\ud800","to":["\\udfff"]}', ['subject', 'to[0]']],
    ['an array', '[]', ['body']],
    ['text', '"x"', ['body']],
    ['nothing', '', ['body']],
  ])('with %s is refused by name', async (_, body, fields) => {
    const { status, headers, json } = await fixture.post('/api/v1/mail/send', body);
    expect([status, headers.get('content-type'), json.code]).toEqual([400, 'application/problem+json', 'INVALID_ARGUMENT']);
    expect(fieldsOf(json)).toEqual(fields);
    for (const field of fields) expect(json.detail).toContain(field);
  });

  test.each([['{'], ['{"to":[}'], ['<xml/>'], ['{"to":[]}x']])('%s is not JSON', async (body) => {
    const { status, json } = await fixture.post('/api/v1/mail/send', body);
    expect([status, json.code]).toEqual([400, 'MALFORMED_REQUEST']);
  });

  test.each([
    ['text/plain', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['another JSON', { 'content-type': 'application/vnd.api+json' }],
    ['a media type that is none', { 'content-type': 'json' }],
    ['an encoding', { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
  ])('of %s is refused', async (_, headers) => {
    const { status, json } = await fixture.post('/api/v1/mail/send', '{}', headers);
    expect([status, json.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  test('too large by its length is refused with the limit', async () => {
    const body = { body: 'x'.repeat(10_485_760) };
    const { status, json } = await fixture.post('/api/v1/mail/send', body);
    const size = JSON.stringify(body).length;
    expect([status, json.code]).toEqual([413, 'MESSAGE_TOO_LARGE']);
    expect(json.detail).toBe(`the body of ${size} bytes is larger than ${LIMIT} bytes, the limit that GRPC_MAX_MESSAGE_SIZE sets`);
    expect(json.facts).toEqual({ limit_bytes: String(LIMIT), size_bytes: String(size), setting: 'GRPC_MAX_MESSAGE_SIZE' });
  });

  test('too large without a length is refused with the limit', async () => {
    const body = new Blob(['x'.repeat(LIMIT * 3)]).stream();
    const { status, json } = await fixture.ask('/api/v1/mail/send', {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
    });
    expect([status, json.code]).toEqual([413, 'MESSAGE_TOO_LARGE']);
    expect(json.detail).toBe(`the body is larger than ${LIMIT} bytes, the limit that GRPC_MAX_MESSAGE_SIZE sets`);
  });

  test('where none belongs is refused', async () => {
    const { status, json } = await fixture.post('/api/v1/mail/msg_1/cancel', { reason: 'x' });
    expect([status, fieldsOf(json)]).toEqual([400, ['reason']]);
  });
});

describe('a query', () => {
  test.each([
    ['/api/v1/mail?page_size=ten', ['page_size']],
    ['/api/v1/mail?page_size=', ['page_size']],
    ['/api/v1/mail?page_size=-1', ['page_size']],
    ['/api/v1/mail?page_size=3000000000', ['page_size']],
    ['/api/v1/mail?created_after=9007199254740992', ['created_after']],
    ['/api/v1/mail?page_size=1&page_size=2', ['page_size']],
    ['/api/v1/mail?status=sent&status=queued', ['status']],
    ['/api/v1/mail?limit=1&__proto__=2', ['limit', '__proto__']],
    ['/api/v1/mail/msg_1?full=1', ['full']],
  ])('%s is refused by name', async (path, fields) => {
    const { status, json } = await fixture.ask(path);
    expect([status, json.code, fieldsOf(json)?.sort()]).toEqual([400, 'INVALID_ARGUMENT', [...fields].sort()]);
  });
});

describe('a header', () => {
  test.each([
    ['Idempotency-Key', ''],
    ['Request-Timeout', 'soon'],
    ['Request-Timeout', '0'],
    ['Request-Timeout', '-1'],
    ['Request-Timeout', '1e3'],
    ['Request-Timeout', '1, 2'],
  ])('%s: "%s" is refused by name', async (name, value) => {
    const { status, json } = await fixture.post('/api/v1/mail/send', { to: ['a@example.com'] }, { [name]: value });
    expect([status, fieldsOf(json)]).toEqual([400, [name]]);
  });

  test('Idempotency-Key given twice is refused by name', async () => {
    const { status, json } = await fixture.askRaw([
      'POST /api/v1/mail/send HTTP/1.1',
      'host: x',
      `authorization: Bearer ${tokenFor()}`,
      'content-type: application/json',
      'idempotency-key: a',
      'idempotency-key: b',
      'content-length: 2',
      'connection: close',
      '',
      '{}',
    ]);
    expect([status, fieldsOf(json)]).toEqual([400, ['Idempotency-Key']]);
  });
});

describe('a token', () => {
  const [header, claims, signature] = tokenFor().split('.') as [string, string, string];
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const anyone = { sub: 'alice', tenant: 'acme', scope: 'mail.send' };

  test('that is not given is asked for', async () => {
    const response = await fetch(`${fixture.url}/api/v1/mail/send`, {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await response.json()).toMatchObject({ code: 'UNAUTHENTICATED', detail: 'No valid auth token' });
  });

  test.each([
    ['expired', `Bearer ${tokenFor('mail.send', -60)}`],
    ['forged', `Bearer ${header}.${claims}.${signature.slice(0, -4)}AAAA`],
    ['unsigned', `Bearer ${encode({ alg: 'none', typ: 'JWT' })}.${claims}.`],
    ['for another audience', `Bearer ${issueToken({ ...AUTH, AUTH_AUDIENCE: 'other' }, anyone, 60)}`],
    ['of another issuer', `Bearer ${issueToken({ ...AUTH, AUTH_ISSUER: 'other' }, anyone, 60)}`],
    ['of another scheme', 'Basic YTpi'],
    ['no token at all', 'Bearer'],
  ])('that is %s is refused', async (_, authorization) => {
    const { status, headers, json } = await fixture.post('/api/v1/mail/send', {}, { authorization });
    expect([status, json.code, headers.get('www-authenticate')]).toEqual([401, 'UNAUTHENTICATED', 'Bearer error="invalid_token"']);
  });

  test('without the scope is refused, and the scope is named', async () => {
    const { status, headers, json } = await fixture.post('/api/v1/mail/send', {}, { authorization: `Bearer ${tokenFor('mail.read')}` });
    expect([status, json.code]).toEqual([403, 'SCOPE_MISSING']);
    expect(headers.get('www-authenticate')).toBe('Bearer error="insufficient_scope", scope="mail.send"');
  });
});

describe('a path', () => {
  test.each([
    ['GET', '/api/v1/mails', 404, 'ROUTE_NOT_FOUND'],
    ['DELETE', '/api/v1/mail/msg_1', 404, 'ROUTE_NOT_FOUND'],
    ['GET', '/api/v1/mail//cancel', 404, 'ROUTE_NOT_FOUND'],
    ['GET', `/api/v1/mail/${'x'.repeat(600)}`, 404, 'ROUTE_NOT_FOUND'],
    ['GET', '/api/v1/mail/%zz', 400, 'MALFORMED_REQUEST'],
  ])('%s %s is %i %s', async (method, path, status, code) => {
    const answer = await fixture.ask(path, { method });
    expect([answer.status, answer.headers.get('content-type'), answer.json.code]).toEqual([status, 'application/problem+json', code]);
    expect(answer.json.request_id).toBe(answer.headers.get('x-request-id'));
  });
});

describe('what is no HTTP request', () => {
  test.each([
    ['a request line that is none', ['HELLO', '', ''], 400, 'MALFORMED_REQUEST'],
    ['headers over the limit', ['GET /health/live HTTP/1.1', 'host: x', `x-a: ${'x'.repeat(20_000)}`, '', ''], 431, 'METADATA_TOO_LARGE'],
    ['a path over the limit', [`GET /${'x'.repeat(20_000)} HTTP/1.1`, 'host: x', '', ''], 431, 'METADATA_TOO_LARGE'],
    ['two lengths', ['POST / HTTP/1.1', 'host: x', 'content-length: 1', 'content-length: 2', '', ''], 400, 'MALFORMED_REQUEST'],
  ])('%s is answered by a problem', async (_, lines, status, code) => {
    const answer = await fixture.askRaw(lines);
    expect([answer.status, answer.headers['content-type'], answer.json.code]).toEqual([status, 'application/problem+json', code]);
    expect(answer.json.request_id).toBe(answer.headers['x-request-id']);
  });
});
