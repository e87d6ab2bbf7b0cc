import { request } from 'node:http';
import { TestSystem, token } from './test-system';

let system: TestSystem;
beforeAll(async () => {
  system = await TestSystem.start({ MAIL_MAX_TEXT_BYTES: '20000', MAIL_WORKER: 'false' });
});
afterAll(() => system?.stop());

afterEach(() => system.expectNothingStored());

const EMAIL = { from: 'sender@example.com', to: ['recipient@example.com'], subject: 's', body: 'b' };
const many = (n: number) => Array.from({ length: n }, (_, i) => `r${i}@example.com`);
const NO_FILE = 'file_0190a0b0-0000-7000-8000-000000000001';
const MAX_INT64 = '9223372036854775807';

/** What is wrong, said once; both wires must refuse it and name the field as that wire calls it. */
const mails: [what: string, mail: object, field: string][] = [
  ['an address that is none', { from: 'test' }, 'email.from'],
  ['no recipient', { to: [] }, 'email.to'],
  ['a bad recipient among good ones', { to: ['a@example.com', 'b@@example.com'] }, 'email.to[1]'],
  ['CRLF in an address', { to: ['a@example.com\r\nBcc: x@example.com'] }, 'email.to[0]'],
  ['an address that closes its bracket early', { to: ['a@example.com> SIZE=1 <b@example.com'] }, 'email.to[0]'],
  ['an address that is too long', { to: [`${'a'.repeat(65)}@example.com`] }, 'email.to[0]'],
  ['10,000 recipients', { to: many(10_000) }, 'email.to'],
  ['too many recipients, counted over to, cc and bcc', { to: many(400), cc: many(400), bcc: many(400) }, 'email.to'],
  ['a bad cc', { cc: ['x'] }, 'options.cc[0]'],
  ['a bad bcc', { bcc: ['x'] }, 'options.bcc[0]'],
  ['a bad reply_to', { reply_to: ['x'] }, 'options.reply_to[0]'],
  ['CRLF in the subject', { subject: 'a\r\nBcc: x@example.com' }, 'email.subject'],
  ['a subject that is too long', { subject: 'x'.repeat(999) }, 'email.subject'],
  ['NUL in the body', { body: 'a\0b' }, 'email.body'],
  ['body and HTML that are too large together', { body: 'x'.repeat(15_000), html_body: 'x'.repeat(15_000) }, 'options.html_body'],
  ['a header that the mail system sets', { headers: { Bcc: 'x@example.com' } }, 'options.headers[Bcc]'],
  ['a forbidden header in another case', { headers: { 'content-TYPE': 'text/html' } }, 'options.headers[content-TYPE]'],
  ['a forbidden family of headers', { headers: { 'Resent-To': 'x@example.com' } }, 'options.headers[Resent-To]'],
  ['two headers that differ in case only', { headers: { 'X-A': '1', 'x-a': '2' } }, 'options.headers[x-a]'],
  ['CRLF in a header', { headers: { 'X-A': 'a\r\nBcc: x@example.com' } }, 'options.headers[X-A]'],
  ['CRLF in a header name', { headers: { 'X-A\r\nBcc': 'x@example.com' } }, 'options.headers[X-A\r\nBcc]'],
  ['a header named __proto__', { headers: JSON.parse('{"__proto__": "x"}') as object }, 'options.headers[__proto__]'],
  ['too many headers', { headers: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`X-${i}`, 'v'])) }, 'options.headers'],
  [
    'headers that are too large',
    { headers: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`X-${i}`, 'v'.repeat(900)])) },
    'options.headers',
  ],
  ['a metadata value that is too long', { metadata: { a: 'x'.repeat(1025) } }, 'options.metadata[a]'],
  ['metadata named __proto__', { metadata: JSON.parse('{"__proto__": "x"}') as object }, 'options.metadata[__proto__]'],
  ['CRLF in a filename', { attachments: [{ filename: 'a\r\nb', content: 'eA==' }] }, 'email.attachments[0].filename'],
  ['an attachment without a name', { attachments: [{ filename: '', content: 'eA==' }] }, 'email.attachments[0].filename'],
  [
    'a content type that is none',
    { attachments: [{ filename: 'a', content_type: 'x\r\ny', content: 'eA==' }] },
    'email.attachments[0].content_type',
  ],
  [
    'a content id that breaks out',
    { attachments: [{ filename: 'a', content_id: '<a>', content: 'eA==' }] },
    'email.attachments[0].content_id',
  ],
  ['a file without an id that can be one', { attachments: [{ file_id: 'file_1' }] }, 'email.attachments[0].file_id'],
  ['a file and its content', { attachments: [{ filename: 'a', file_id: NO_FILE, content: 'eA==' }] }, 'email.attachments[0].file_id'],
  ['a file that was not uploaded', { attachments: [{ filename: 'a', file_id: NO_FILE }] }, 'email.attachments[0].file_id'],
  ['an expiry in the past', { expires_at: 1 }, 'options.expires_at'],
  ['a time too far away', { send_at: 9_000_000_000 }, 'options.send_at'],
  ['a policy that is none', { on_uncertain: 'perhaps' }, 'options.on_uncertain'],
];

const restField = (field: string) => field.replace(/^(email|options)\./, '').replace(/^(headers|metadata)\[(.*)\]$/s, '$1.$2');

describe.each(mails)('%s', (_what, wrong, field) => {
  const mail = { ...EMAIL, ...wrong };

  test('REST: 400 that names it', async () => {
    const { status, headers, body } = await system.rest('POST', '/api/v1/mail/send', { body: mail });
    expect([status, body.code]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(headers.get('content-type')).toContain('application/problem+json');
    const names = (body.errors as { field: string }[]).map((error) => error.field.replace(/^(headers|metadata)\[(.*)\]$/s, '$1.$2'));
    expect(names).toContain(restField(field));
  });

  test('gRPC: INVALID_ARGUMENT that names it', async () => {
    const error = await system.grpcError('submitEmail', toContract(mail));
    expect([error.code, error.reason]).toEqual(['INVALID_ARGUMENT', 'INVALID_ARGUMENT']);
    expect(error.details.violations?.map((violation) => violation.field)).toContain(field);
  });
});

/** The flat REST body as the contract's message. */
function toContract(mail: Record<string, unknown>): object {
  const attachments = (mail.attachments as Record<string, unknown>[] | undefined)?.map((a) => ({
    filename: a.filename,
    contentType: a.content_type,
    contentId: a.content_id,
    fileId: a.file_id,
    content: Buffer.from(String(a.content ?? ''), 'base64'),
  }));
  return {
    email: { from: mail.from, to: mail.to, subject: mail.subject, body: mail.body, attachments },
    options: {
      cc: mail.cc,
      bcc: mail.bcc,
      replyTo: mail.reply_to,
      htmlBody: mail.html_body,
      headers: mail.headers,
      metadata: mail.metadata,
      sendAt: mail.send_at,
      expiresAt: mail.expires_at,
      ...(mail.on_uncertain !== undefined && { onUncertain: 7 }),
    },
  };
}

describe('what only JSON can get wrong', () => {
  const bodies: [what: string, body: string, status: number, code: string, field: string][] = [
    ['malformed JSON', '{"to": [', 400, 'MALFORMED_REQUEST', ''],
    ['no JSON object', '[]', 400, 'INVALID_ARGUMENT', 'body'],
    ['an empty body', '', 400, 'INVALID_ARGUMENT', 'body'],
    ['a wrong type', '{"to": "a@example.com"}', 400, 'INVALID_ARGUMENT', 'to'],
    ['a wrong type inside', '{"to": [1]}', 400, 'INVALID_ARGUMENT', 'to[0]'],
    ['null for text', '{"to": ["a@example.com"], "subject": null}', 400, 'INVALID_ARGUMENT', 'subject'],
    ['an unknown field', '{"to": ["a@example.com"], "titel": "x"}', 400, 'INVALID_ARGUMENT', 'titel'],
    ['an id', '{"to": ["a@example.com"], "id": "msg_1"}', 400, 'INVALID_ARGUMENT', 'id'],
    ['a timestamp', '{"to": ["a@example.com"], "timestamp": 1}', 400, 'INVALID_ARGUMENT', 'timestamp'],
    ['a size', '{"to": ["a@example.com"], "attachments": [{"filename": "a", "size": 1}]}', 400, 'INVALID_ARGUMENT', 'attachments[0].size'],
    [
      'base64 that is none',
      '{"to": ["a@example.com"], "attachments": [{"filename": "a", "content": "%%"}]}',
      400,
      'INVALID_ARGUMENT',
      'attachments[0].content',
    ],
    ['an int64 out of range', '{"to": ["a@example.com"], "send_at": 9223372036854775807}', 400, 'INVALID_ARGUMENT', 'send_at'],
    ['a negative time', '{"to": ["a@example.com"], "send_at": -1}', 400, 'INVALID_ARGUMENT', 'send_at'],
    ['a fraction of a time', '{"to": ["a@example.com"], "send_at": 1.5}', 400, 'INVALID_ARGUMENT', 'send_at'],
    ['half a surrogate pair', '{"to": ["a@example.com"], "subject": "\\ud800"}', 400, 'INVALID_ARGUMENT', 'subject'],
    ['a body named __proto__', '{"to": ["a@example.com"], "__proto__": {"admin": true}}', 400, 'INVALID_ARGUMENT', '__proto__'],
    ['10 MB', JSON.stringify({ to: ['a@example.com'], body: 'x'.repeat(10_000_000) }), 413, 'MESSAGE_TOO_LARGE', ''],
  ];

  test.each(bodies)('%s', async (_what, body, status, code, field) => {
    const answer = await system.rest('POST', '/api/v1/mail/send', { body, headers: { 'content-type': 'application/json' } });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    if (field) expect((answer.body.errors as { field: string }[]).map((error) => error.field)).toContain(field);
    if (status === 413) expect(answer.body.detail).toContain('4194304');
  });

  test('another media type is 415', async () => {
    const answer = await system.rest('POST', '/api/v1/mail/send', {
      body: 'to=a',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect([answer.status, answer.body.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  test('10 MB without a length are cut off at the limit', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token()}`, 'content-type': 'application/json' };
      const sent = request(`${system.url}/api/v1/mail/send`, { method: 'POST', headers }, (response) => resolve(response.statusCode ?? 0));
      sent.once('error', reject);
      for (let i = 0; i < 10; i++) sent.write('x'.repeat(1_000_000));
      sent.end();
    }).catch((error: NodeJS.ErrnoException) => error.code);
    expect([413, 'ECONNRESET', 'EPIPE']).toContain(status);
  });

  test.each([
    ['page_size=101', 'page_size'],
    ['page_size=x', 'page_size'],
    ['page_token=x', 'page_token'],
    ['status=gone', 'status'],
    ['from=x', 'from'],
    ['created_after=-1', 'created_after'],
    ['colour=red', 'colour'],
    ['status=sent&status=queued', 'status'],
  ])('GET /api/v1/mail?%s names %s', async (query, field) => {
    const answer = await system.rest('GET', `/api/v1/mail?${query}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'INVALID_ARGUMENT']);
    expect((answer.body.errors as { field: string }[]).map((error) => error.field)).toContain(field);
  });

  test.each(['', 'x'.repeat(256), 'ümlaut'.normalize('NFC')])('Idempotency-Key %j is refused by name', async (key) => {
    const answer = await system.rest('POST', '/api/v1/mail/send', { body: EMAIL, headers: { 'idempotency-key': key } });
    expect([answer.status, answer.body.code]).toEqual([400, 'INVALID_ARGUMENT']);
    expect((answer.body.errors as { field: string }[])[0]?.field).toBe('Idempotency-Key');
  });
});

describe('what only gRPC can get wrong', () => {
  test.each([
    ['no email at all', {}, 'email'],
    ['an int64 out of range', { email: EMAIL, options: { sendAt: MAX_INT64 } }, 'options.send_at'],
    ['a negative int64', { email: EMAIL, options: { expiresAt: '-1' } }, 'options.expires_at'],
    ['a key that is too long', { email: EMAIL, idempotencyKey: 'x'.repeat(256) }, 'idempotency_key'],
    ['a key that is not ASCII', { email: EMAIL, idempotencyKey: 'ü' }, 'idempotency_key'],
  ])('%s', async (_what, message, field) => {
    const error = await system.grpcError('submitEmail', message);
    expect(error.details.violations?.map((violation) => violation.field)).toEqual([field]);
  });

  test('a message of 10 MB is RESOURCE_EXHAUSTED with the limit', async () => {
    const error = await system.grpcError('sendEmail', { email: { ...EMAIL, body: 'x'.repeat(10_000_000) } });
    expect([error.code, error.reason]).toEqual(['RESOURCE_EXHAUSTED', 'MESSAGE_TOO_LARGE']);
    expect(error.message).toContain('4194304');
  });

  test('10,000 bad addresses give an error that fits into trailers', async () => {
    const error = await system.grpcError('listEmails', {
      pageSize: 101,
      status: 'x',
      from: 'y'.repeat(100_000),
      to: 'z',
      subject: 'q'.repeat(300),
    });
    expect(error.details.violations?.map(({ field }) => field)).toEqual(['page_size', 'status', 'subject', 'from', 'to']);
  });
});

test('the seed’s {"from": "test"} names from and to on both wires', async () => {
  const answer = await system.rest('POST', '/api/v1/mail/send', { body: { from: 'test' } });
  expect(answer.status).toBe(400);
  expect((answer.body.errors as { field: string }[]).map(({ field }) => field)).toEqual(['from', 'to']);
  const error = await system.grpcError('sendEmail', { email: { from: 'test' } });
  expect(error.code).toBe('INVALID_ARGUMENT');
  expect(error.details.violations?.map(({ field }) => field)).toEqual(['email.from', 'email.to']);
});
