import { RuleError } from '@sky-genesis/grpc';
import type { SubmitEmailRequest } from '@sky-genesis/proto';
import { GatewayFixture, tokenFor } from '../../testing/gateway.fixture';

const fixture = new GatewayFixture();
const { mail } = fixture;

beforeAll(() => fixture.start());
afterAll(() => fixture.stop());

const seedBody = { to: ['recipient@example.com'], subject: 'Hello', body: 'Message content' };
const send = (body: unknown = seedBody, headers = {}) => fixture.post('/api/v1/mail/send', body, headers);

describe('POST /api/v1/mail/send', () => {
  test("takes the seed's body and answers as the seed does", async () => {
    mail.submitEmail = () => ({ messageId: 'msg_123456', status: 'queued', timestamp: '1640995200' });
    const { status, headers, json } = await send();
    expect([status, headers.get('location'), headers.get('idempotency-replayed')]).toEqual([202, '/api/v1/mail/msg_123456', null]);
    expect(json).toEqual({ message_id: 'msg_123456', status: 'queued', timestamp: 1640995200 });
    expect(mail.last.request).toMatchObject({
      email: { from: '', to: ['recipient@example.com'], subject: 'Hello', body: 'Message content' },
    });
  });

  test('passes on who asks, and the key that makes asking again safe', async () => {
    mail.submitEmail = () => ({ messageId: 'msg_1', status: 'queued', timestamp: '1', replayed: true });
    const authorization = `Bearer ${tokenFor()}`;
    const { status, headers } = await send(seedBody, { authorization, 'idempotency-key': 'order-4711' });
    expect([status, headers.get('idempotency-replayed')]).toEqual([202, 'true']);
    expect(mail.last.metadata.get('authorization')).toEqual([authorization]);
    expect((mail.last.request as SubmitEmailRequest).idempotencyKey).toBe('order-4711');
  });

  test('takes attachments in base64, and names of headers and metadata that objects have of themselves', async () => {
    const { status } = await send({
      ...seedBody,
      attachments: [{ filename: 'a.txt', content: 'SGVsbG8=' }, { file_id: 'file_1' }],
      metadata: { constructor: 'Acme', toString: 'x' },
    });
    expect(status).toBe(202);
    const { email, options } = mail.last.request as SubmitEmailRequest;
    expect(Buffer.from(email!.attachments[0]!.content).toString()).toBe('Hello');
    expect(email!.attachments[1]).toMatchObject({ filename: '', contentType: '', fileId: 'file_1', content: Buffer.alloc(0) });
    expect(Object.entries(options!.metadata)).toEqual([
      ['constructor', 'Acme'],
      ['toString', 'x'],
    ]);
  });

  test('tells violations of the service by the names of REST', async () => {
    mail.submitEmail = () => {
      const violations = [
        { field: 'email.from', description: 'must be an address' },
        { field: 'email.to', description: 'at least one recipient is required' },
      ];
      throw new RuleError('INVALID_ARGUMENT', 'email.from: ...', { violations });
    };
    const { status, headers, json } = await send({ from: 'test' });
    expect([status, headers.get('content-type')]).toEqual([400, 'application/problem+json']);
    expect(json).toEqual({
      status: 400,
      title: 'Bad Request',
      detail: 'from: must be an address; to: at least one recipient is required',
      code: 'INVALID_ARGUMENT',
      errors: [
        { field: 'from', message: 'must be an address' },
        { field: 'to', message: 'at least one recipient is required' },
      ],
      request_id: headers.get('x-request-id'),
    });
  });

  test.each([
    ['QUEUE_FULL', 429, '7'],
    ['OVERLOADED', 503, '7'],
    ['IDEMPOTENCY_KEY_REUSED', 409, null],
    ['SENDER_NOT_ALLOWED', 403, null],
  ] as const)('%s of the service is %i here', async (reason, expected, retryAfter) => {
    mail.submitEmail = () => {
      throw new RuleError(reason, 'why', retryAfter ? { retryAfterSeconds: 6.2 } : {});
    };
    const { status, headers, json } = await send();
    expect([status, json.code, json.detail, headers.get('retry-after')]).toEqual([expected, reason, 'why', retryAfter]);
  });

  test('a defect of the service is told without detail', async () => {
    mail.submitEmail = () => {
      throw new Error('secret');
    };
    const { status, json, headers } = await send();
    expect(status).toBe(500);
    expect(json).toEqual({ status: 500, title: 'Internal Server Error', code: 'INTERNAL', request_id: headers.get('x-request-id') });
  });
});

describe('GET /api/v1/mail/:id', () => {
  test("answers with the seed's fields, flat options and what became of it", async () => {
    mail.getEmail = () => ({
      email: {
        id: '123',
        from: 'sender@example.com',
        to: ['recipient@example.com'],
        subject: 'Hello',
        body: 'Message content',
        timestamp: '1640995200',
        attachments: [],
      },
      options: { metadata: { order: '4711' }, onUncertain: 'UNCERTAIN_POLICY_HOLD' } as never,
      status: 'sent',
      recipients: [
        {
          address: 'recipient@example.com',
          kind: 'to',
          status: 'sent',
          attempts: 1,
          lastReply: '250 Ok',
          updatedAt: '1640995201',
        } as never,
      ],
    });
    const { status, json } = await fixture.ask('/api/v1/mail/123');
    expect(status).toBe(200);
    expect(mail.last.request).toEqual({ id: '123' });
    expect(json).toEqual({
      id: '123',
      from: 'sender@example.com',
      to: ['recipient@example.com'],
      subject: 'Hello',
      body: 'Message content',
      timestamp: 1640995200,
      metadata: { order: '4711' },
      on_uncertain: 'hold',
      attachments: [],
      status: 'sent',
      recipients: [
        { address: 'recipient@example.com', kind: 'to', status: 'sent', attempts: 1, last_reply: '250 Ok', updated_at: 1640995201 },
      ],
      attempts: [],
    });
  });

  test('an email that is not there is a 404', async () => {
    mail.getEmail = () => {
      throw new RuleError('EMAIL_NOT_FOUND');
    };
    const { status, json } = await fixture.ask('/api/v1/mail/%F0%9F%92%8C');
    expect([status, json.code, mail.last.request]).toEqual([404, 'EMAIL_NOT_FOUND', { id: '💌' }]);
  });
});

describe('GET /api/v1/mail', () => {
  test('passes on what is asked for, and gives the page', async () => {
    mail.listEmails = () => ({
      emails: [
        {
          id: 'msg_1',
          from: 's@example.com',
          to: ['r@example.com'],
          subject: 'Hi',
          snippet: 'H',
          timestamp: '5',
          attachmentCount: 2,
          status: 'sent',
        },
      ],
      nextPageToken: 'p2',
    });
    const { status, json } = await fixture.ask('/api/v1/mail?page_size=1&status=sent&subject=two%20words&created_before=9007199254740991');
    expect(status).toBe(200);
    expect(mail.last.request).toMatchObject({ pageSize: 1, status: 'sent', subject: 'two words', createdBefore: '9007199254740991' });
    expect(json).toEqual({
      emails: [
        {
          id: 'msg_1',
          from: 's@example.com',
          to: ['r@example.com'],
          subject: 'Hi',
          snippet: 'H',
          timestamp: 5,
          attachment_count: 2,
          status: 'sent',
        },
      ],
      next_page_token: 'p2',
    });
  });
});

describe('POST /api/v1/mail/:id/cancel', () => {
  test.each([
    ['no body', {}],
    ['an empty object', { body: '{}', headers: { 'content-type': 'application/json' } }],
    ['a media type without a body', { headers: { 'content-type': 'application/json' } }],
  ])('takes %s', async (_, init) => {
    const { status, json } = await fixture.ask('/api/v1/mail/msg_1/cancel', { method: 'POST', ...init });
    expect([status, json, mail.last.request]).toEqual([200, { status: 'canceled' }, { id: 'msg_1' }]);
  });
});

describe('POST /api/v1/mail/:id/resolve', () => {
  const resolve = (body: unknown) => fixture.post('/api/v1/mail/msg_1/resolve', body);

  test('passes on who found out what, and gives the status of the email', async () => {
    const { status, json } = await resolve({ resolution: 'failed', recipient: 'a@example.com', note: 'asked by phone' });
    expect([status, json]).toEqual([200, { status: 'sent' }]);
    expect(mail.last.request).toEqual({ id: 'msg_1', resolution: 'failed', recipient: 'a@example.com', note: 'asked by phone' });
    await resolve({ resolution: 'resend' });
    expect(mail.last.request).toEqual({ id: 'msg_1', resolution: 'resend', recipient: '', note: '' });
  });

  test.each([
    ['EMAIL_NOT_FOUND', 404],
    ['NOTHING_TO_RESOLVE', 400],
    ['EMAIL_BUSY', 409],
  ] as const)('%s of the service is %i here', async (reason, expected) => {
    mail.resolveEmail = () => {
      throw new RuleError(reason);
    };
    const { status, json } = await resolve({ resolution: 'sent' });
    expect([status, json.code]).toEqual([expected, reason]);
  });

  test.each([
    [{}, 'resolution'],
    [{ resolution: 'delivered' }, 'resolution'],
    [{ resolution: 'sent', recipients: [] }, 'recipients'],
  ])('%j is refused by name', async (body, field) => {
    const { status, json } = await resolve(body);
    expect([status, json.errors[0].field]).toEqual([400, field]);
  });
});
