import { RuleError, toRpcStatus } from '@sky-genesis/grpc';
import type { SubmitEmailRequest, SubmitEmailsRequest } from '@sky-genesis/proto';
import { Bulk, bulk, codesOf, mailTo } from '../../testing/bulk.client';
import { acceptedOf } from '../../testing/fake-mail.service';
import { GatewayFixture } from '../../testing/gateway.fixture';

const LIMIT = 1_048_576;
const fixture = new GatewayFixture();
const { mail } = fixture;
const acceptAll = mail.submitEmails;
beforeAll(() => fixture.start({ GRPC_MAX_MESSAGE_SIZE: String(LIMIT), GRPC_TIMEOUT: '1', HTTP_REQUEST_TIMEOUT_SECONDS: '2' }));
afterAll(() => fixture.stop());
beforeEach(() => (mail.submitEmails = acceptAll));

/** Collects what the service is sent, and what it is sent it in. */
function collect(): { messages: SubmitEmailsRequest[]; requests: () => SubmitEmailRequest[] } {
  const messages: SubmitEmailsRequest[] = [];
  mail.submitEmails = (call) => {
    call.on('data', (message: SubmitEmailsRequest) => messages.push(message));
    acceptAll(call);
  };
  return { messages, requests: () => messages.flatMap(({ requests }) => requests) };
}

describe('lines and answers', () => {
  test('each email is passed on and answered by its ref, or by the number of its line', async () => {
    const seen = collect();
    const lines = [mailTo('a', { subject: 'A', cc: ['c@example.com'], idempotency_key: 'key-1', request_ref: 'mine' }), '', mailTo('b')];
    expect(await bulk(fixture, ...lines)).toEqual([
      { request_ref: 'mine', message_id: 'msg_1', status: 'queued', timestamp: 1640995200 },
      { request_ref: '3', message_id: 'msg_3', status: 'queued', timestamp: 1640995200 },
    ]);
    expect(seen.requests()).toMatchObject([
      { email: { to: ['a@example.com'], subject: 'A' }, options: { cc: ['c@example.com'] }, idempotencyKey: 'key-1' },
      { email: { to: ['b@example.com'] }, idempotencyKey: '' },
    ]);
    expect(mail.last.metadata.get('authorization')[0]).toMatch(/^Bearer /);
  });

  test('two lines with the same ref are both answered by it', async () => {
    expect(codesOf(await bulk(fixture, mailTo('a', { request_ref: 'x' }), mailTo('b', { request_ref: 'x' })))).toEqual([
      ['x', 'msg_1'],
      ['x', 'msg_2'],
    ]);
  });

  test('an answer of before says so', async () => {
    mail.submitEmails = (call) => {
      call.on('data', ({ requests }: SubmitEmailsRequest) => {
        const { results } = acceptedOf(requests);
        for (const { response } of results!) response!.replayed = true;
        call.write({ results: results! });
      });
      call.on('end', () => call.end());
    };
    expect(await bulk(fixture, mailTo('a'))).toEqual([expect.objectContaining({ request_ref: '1', replayed: true })]);
  });

  test.each<[string, string, string, string[] | undefined]>([
    ['no JSON', '{"to": [', 'MALFORMED_REQUEST', undefined],
    ['no object', '[]', 'INVALID_ARGUMENT', ['body']],
    ['null', 'null', 'INVALID_ARGUMENT', ['body']],
    ['no UTF-8', '', 'MALFORMED_REQUEST', undefined],
    ['a wrong type', '{"to":"a@example.com"}', 'INVALID_ARGUMENT', ['to']],
    ['unknown fields', '{"to":[],"too":1}', 'INVALID_ARGUMENT', ['too']],
    ['an empty key', '{"to":[],"idempotency_key":""}', 'INVALID_ARGUMENT', ['idempotency_key']],
    ['a ref that is too long', `{"to":[],"request_ref":"${'x'.repeat(256)}"}`, 'INVALID_ARGUMENT', ['request_ref']],
    ['too much', `{"body":"${'x'.repeat(LIMIT)}"}`, 'MESSAGE_TOO_LARGE', undefined],
    ['just too much', `{"body":"${'x'.repeat(LIMIT - 100)}"}`, 'MESSAGE_TOO_LARGE', undefined],
    [
      'more in protobuf than in JSON',
      `{"attachments":[${'{},'.repeat(45_000)}{}],"body":"${'x'.repeat(LIMIT - 300_000)}"}`,
      'MESSAGE_TOO_LARGE',
      undefined,
    ],
  ])('a line of %s is one problem, and the others go on', async (what, line, code, fields) => {
    const sending = Bulk.open(fixture);
    sending.write(mailTo('a'));
    if (what === 'no UTF-8') sending.request.write(Buffer.from([0x7b, 0xff, 0x7d, 0x0a]));
    else sending.write(line);
    sending.write(mailTo('b'));
    sending.request.end();
    await sending.response();
    const answers = await sending.answers();
    expect(codesOf(answers).sort()).toEqual([
      ['1', 'msg_1'],
      ['2', code],
      ['3', 'msg_3'],
    ]);
    const { problem } = answers.find(({ request_ref }) => request_ref === '2')!;
    expect(problem!.errors?.map(({ field }) => field)).toEqual(fields);
  });

  test('a wrong line is answered by its own ref', async () => {
    expect(codesOf(await bulk(fixture, { to: 5, request_ref: 'mine' }))).toEqual([['mine', 'INVALID_ARGUMENT']]);
  });

  test('what the service refuses is told by the names of REST', async () => {
    const violations = [
      { field: 'email.to[0]', description: 'must be an address' },
      { field: 'idempotency_key', description: 'is too long' },
    ];
    mail.submitEmails = (call) => {
      call.on('data', ({ requests }: SubmitEmailsRequest) =>
        call.write({
          results: requests.map(({ requestRef }) => ({
            requestRef,
            failure: toRpcStatus(new RuleError('INVALID_ARGUMENT', 'x', { violations })) as never,
          })),
        }),
      );
      call.on('end', () => call.end());
    };
    expect(await bulk(fixture, mailTo('a'))).toEqual([
      {
        request_ref: '1',
        problem: {
          status: 400,
          title: 'Bad Request',
          detail: 'to[0]: must be an address; idempotency_key: is too long',
          code: 'INVALID_ARGUMENT',
          errors: [
            { field: 'to[0]', message: 'must be an address' },
            { field: 'idempotency_key', message: 'is too long' },
          ],
          request_id: expect.any(String),
        },
      },
    ]);
  });

  test('lines at hand go together, bounded by their number and their size', async () => {
    const seen = collect();
    const small = Array.from({ length: 1000 }, (_, at) => mailTo(`a${at}`));
    expect(await bulk(fixture, ...small)).toHaveLength(1000);
    const sizes = seen.messages.map(({ requests }) => requests.length);
    expect(Math.max(...sizes)).toBe(100);
    expect(sizes.length).toBeLessThan(100);
    seen.messages.splice(0);
    const large = Array.from({ length: 4 }, () => ({ body: 'x'.repeat(LIMIT / 2) }));
    expect(codesOf(await bulk(fixture, ...large))).toEqual([1, 2, 3, 4].map((at) => [String(at), `msg_${at}`]));
    expect(seen.messages).toHaveLength(4);
  });

  test('no message is larger than the service takes', async () => {
    const small = await new GatewayFixture().start({ GRPC_MAX_MESSAGE_SIZE: '16384' });
    const lines = Array.from({ length: 300 }, (_, at) => ({ body: 'x'.repeat(at === 150 ? 16_000 : 500) }));
    expect((await bulk(small, ...lines)).filter(({ message_id }) => message_id !== undefined)).toHaveLength(300);
    await small.stop();
  });

  test('nothing is answered with nothing', async () => {
    expect(await bulk(fixture)).toEqual([]);
  });
});

describe('the request', () => {
  test('begins to be answered before its first line, and each line while the next is still to come', async () => {
    const sending = Bulk.open(fixture);
    const { statusCode, headers } = await sending.response();
    expect([statusCode, headers['content-type'], headers['x-accel-buffering']]).toEqual([200, 'application/x-ndjson', 'no']);
    for (const at of [1, 2, 3]) {
      sending.write(mailTo('a'));
      expect(await sending.answer()).toMatchObject({ request_ref: String(at) });
    }
    sending.request.end();
    expect(await sending.answer()).toBeUndefined();
  });

  test('may take longer than the time for other requests, and than a unary call, as long as it moves', async () => {
    const sending = Bulk.open(fixture);
    await sending.response();
    for (let at = 0; at < 4; at++) {
      await new Promise((resolve) => setTimeout(resolve, 700));
      sending.write(mailTo('a'));
    }
    sending.request.end();
    expect(await sending.answers()).toHaveLength(4);
  });

  test('that stands still is ended, after what was sent is answered', async () => {
    const sending = Bulk.open(fixture);
    await sending.response();
    sending.write(mailTo('a'));
    sending.request.write('{"to":');
    const answers = await sending.answers();
    expect(codesOf(answers)).toEqual([
      ['1', 'msg_1'],
      [undefined, 'DEADLINE_EXCEEDED'],
    ]);
  });

  test.each([
    ['application/json', '/api/v1/mail/bulk', {}],
    ['application/x-ndjson', '/api/v1/mail/send', {}],
    ['application/x-ndjson', '/api/v1/mail/bulk', { 'content-encoding': 'gzip' }],
  ])('of %s to %s with %p is a 415', async (type, path, headers) => {
    const { status, json } = await fixture.ask(path, { method: 'POST', body: '{}', headers: { 'content-type': type, ...headers } });
    expect([status, json.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  test('of JSON is a 415 before it is read', async () => {
    const { status } = await fixture.post('/api/v1/mail/bulk', 'x'.repeat(LIMIT * 3));
    expect(status).toBe(415);
  });

  test('without a token is refused before its end', async () => {
    const sending = Bulk.open(fixture, { authorization: 'Bearer x' });
    sending.write(mailTo('a'));
    expect((await sending.response()).statusCode).toBe(401);
    sending.request.destroy();
  });

  test('whose client goes away cancels the call', async () => {
    const received = mail.nextCall();
    const sending = Bulk.open(fixture);
    await sending.response();
    await received;
    sending.request.destroy();
    await mail.last.cancelled;
  });
});
