import { type GetEmailResponse, UncertainPolicy } from '@sky-genesis/proto';
import { fromGetEmailResponse, fromListEmailsResponse, toListEmailsRequest, toSubmitEmailRequest } from './mail.mapper';
import { listEmailsQuery, sendEmailBody } from './mail.schema';

test('a body with everything becomes a request with everything', () => {
  const body = sendEmailBody.parse({
    from: 'Sender <sender@example.com>',
    to: ['recipient@example.com'],
    subject: 'Hello',
    body: 'Message content',
    attachments: [{ filename: 'a.txt', content_type: 'text/plain', content: 'SGVsbG8=', content_id: 'logo' }, { file_id: 'file_1' }],
    cc: ['cc@example.com'],
    bcc: ['bcc@example.com'],
    reply_to: ['reply@example.com'],
    html_body: '<p>Hi</p>',
    headers: { 'X-Campaign': 'spring', constructor: 'x' },
    send_at: 1640995200,
    metadata: { order: '4711' },
    on_uncertain: 'resend',
    expires_at: Number.MAX_SAFE_INTEGER,
  });
  expect(toSubmitEmailRequest(body, 'key-1')).toEqual({
    email: {
      id: '',
      from: 'Sender <sender@example.com>',
      to: ['recipient@example.com'],
      subject: 'Hello',
      body: 'Message content',
      timestamp: '0',
      attachments: [
        { filename: 'a.txt', contentType: 'text/plain', content: Buffer.from('Hello'), fileId: '', contentId: 'logo', size: '0' },
        { filename: '', contentType: '', content: new Uint8Array(), fileId: 'file_1', contentId: '', size: '0' },
      ],
    },
    options: {
      cc: ['cc@example.com'],
      bcc: ['bcc@example.com'],
      replyTo: ['reply@example.com'],
      htmlBody: '<p>Hi</p>',
      headers: { 'X-Campaign': 'spring', constructor: 'x' },
      sendAt: '1640995200',
      metadata: { order: '4711' },
      onUncertain: UncertainPolicy.UNCERTAIN_POLICY_RESEND,
      expiresAt: '9007199254740991',
    },
    idempotencyKey: 'key-1',
    requestRef: '',
  });
});

test('an empty body becomes an empty request, for the service to judge', () => {
  const { email, options } = toSubmitEmailRequest(sendEmailBody.parse({}), '');
  expect(email).toMatchObject({ from: '', to: [], subject: '', body: '', attachments: [] });
  expect(options).toMatchObject({ cc: [], headers: {}, sendAt: '0', onUncertain: UncertainPolicy.UNCERTAIN_POLICY_UNSPECIFIED });
});

const plain: GetEmailResponse = {
  email: {
    id: 'msg_1',
    from: 'sender@example.com',
    to: ['r@example.com'],
    subject: 'Hello',
    body: 'Hi',
    timestamp: '1640995200',
    attachments: [],
  },
  options: {
    cc: [],
    bcc: [],
    replyTo: [],
    htmlBody: '',
    headers: {},
    sendAt: '0',
    metadata: {},
    onUncertain: UncertainPolicy.UNCERTAIN_POLICY_UNSPECIFIED,
    expiresAt: '0',
  },
  status: 'sent',
  recipients: [],
  attempts: [],
};

test("a plain email has the seed's fields, and what became of it", () => {
  const expected = {
    id: 'msg_1',
    from: 'sender@example.com',
    to: ['r@example.com'],
    subject: 'Hello',
    body: 'Hi',
    timestamp: 1640995200,
    attachments: [],
    status: 'sent',
    recipients: [],
    attempts: [],
  };
  expect(fromGetEmailResponse(plain)).toEqual(expected);
  expect(Object.keys(fromGetEmailResponse(plain))).toEqual(Object.keys(expected));
});

test('an email with everything shows everything', () => {
  const full: GetEmailResponse = {
    ...plain,
    email: {
      ...plain.email!,
      attachments: [{ filename: 'a', contentType: 'text/plain', content: new Uint8Array(), fileId: 'file_1', contentId: 'c', size: '5' }],
    },
    options: {
      cc: ['c@example.com'],
      bcc: ['b@example.com'],
      replyTo: ['r@example.com'],
      htmlBody: '<p>',
      headers: { A: 'b' },
      sendAt: '1',
      metadata: { k: 'v' },
      onUncertain: UncertainPolicy.UNCERTAIN_POLICY_HOLD,
      expiresAt: '2',
    },
    recipients: [
      {
        address: 'r@example.com',
        kind: 'to',
        status: 'deferred',
        attempts: 1,
        lastReply: '451 later',
        nextAttemptAt: '3',
        updatedAt: '4',
        enhancedCode: '4.3.0',
        reason: 'relay_deferred',
      },
    ],
    attempts: [{ startedAtMs: '5', durationMs: '6', relay: 'relay:25', outcome: 'deferred', reply: '451 later', tlsVersion: 'TLSv1.3' }],
  };
  expect(fromGetEmailResponse(full)).toMatchObject({
    cc: ['c@example.com'],
    bcc: ['b@example.com'],
    reply_to: ['r@example.com'],
    html_body: '<p>',
    headers: { A: 'b' },
    send_at: 1,
    metadata: { k: 'v' },
    on_uncertain: 'hold',
    expires_at: 2,
    attachments: [{ filename: 'a', content_type: 'text/plain', file_id: 'file_1', content_id: 'c', size: 5 }],
    recipients: [
      {
        address: 'r@example.com',
        kind: 'to',
        status: 'deferred',
        attempts: 1,
        last_reply: '451 later',
        next_attempt_at: 3,
        updated_at: 4,
        enhanced_code: '4.3.0',
        reason: 'relay_deferred',
      },
    ],
    attempts: [{ started_at_ms: 5, duration_ms: 6, relay: 'relay:25', outcome: 'deferred', reply: '451 later', tls_version: 'TLSv1.3' }],
  });
});

test('a query becomes a request', () => {
  expect(toListEmailsRequest(listEmailsQuery.parse({}))).toEqual({
    pageSize: 0,
    pageToken: '',
    status: '',
    from: '',
    to: '',
    createdAfter: '0',
    createdBefore: '0',
    subject: '',
  });
  expect(toListEmailsRequest(listEmailsQuery.parse({ page_size: '5', created_after: '7', subject: 'hi' }))).toMatchObject({
    pageSize: 5,
    createdAfter: '7',
    subject: 'hi',
  });
});

test('the last page has no token', () => {
  const summary = {
    id: 'msg_1',
    from: 's@example.com',
    to: ['r@example.com'],
    subject: 'Hello',
    snippet: 'Hi',
    timestamp: '1640995200',
    attachmentCount: 1,
    status: 'sent',
  };
  expect(fromListEmailsResponse({ emails: [summary], nextPageToken: '' })).toEqual({
    emails: [
      {
        id: 'msg_1',
        from: 's@example.com',
        to: ['r@example.com'],
        subject: 'Hello',
        snippet: 'Hi',
        timestamp: 1640995200,
        attachment_count: 1,
        status: 'sent',
      },
    ],
  });
  expect(fromListEmailsResponse({ emails: [], nextPageToken: 'p2' })).toEqual({ emails: [], next_page_token: 'p2' });
});
