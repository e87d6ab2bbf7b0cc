import { randomBytes } from 'node:crypto';
import { eventually } from '../eventually';
import { TestSystem, token } from './test-system';

let system: TestSystem;
beforeAll(async () => {
  system = await TestSystem.start();
});
afterAll(() => system?.stop());

interface Recipient {
  address: string;
  status: string;
}
const recipientsOf = (body: Record<string, unknown>) => body.recipients as Recipient[];

const sent = (id: unknown) =>
  eventually(
    async () => (await system.rest('GET', `/api/v1/mail/${String(id)}`)).body,
    (body) => body.status === 'sent',
  );

test('REST: the answer comes with the seed’s fields, the mail reaches the relay, GET tells so', async () => {
  const answer = await system.rest('POST', '/api/v1/mail/send', {
    body: { from: 'sender@example.com', to: ['recipient@example.com'], subject: 'Hello', body: 'Message content' },
  });
  expect(answer.status).toBe(202);
  expect(answer.body).toEqual({
    message_id: expect.stringMatching(/^msg_[0-9a-f-]{36}$/) as string,
    status: 'queued',
    timestamp: expect.any(Number) as number,
  });
  const id = String(answer.body.message_id);
  expect(answer.headers.get('location')).toBe(`/api/v1/mail/${id}`);
  const body = await sent(id);
  expect(body).toMatchObject({ id, from: 'sender@example.com', to: ['recipient@example.com'], subject: 'Hello', body: 'Message content' });
  expect(recipientsOf(body)).toEqual([
    expect.objectContaining({ address: 'recipient@example.com', kind: 'to', status: 'sent', attempts: 1 }),
  ]);
  const parsed = await system.relay.parsed(id);
  expect(parsed.messageId).toBe(`<${id}@example.com>`);
  expect(parsed.text?.trim()).toBe('Message content');
});

test('the seed’s body without `from` is sent from the token’s first sender', async () => {
  const answer = await system.rest('POST', '/api/v1/mail/send', {
    body: { to: ['recipient@example.com'], subject: 'Hello', body: 'Message content' },
  });
  expect(answer.status).toBe(202);
  await expect(sent(answer.body.message_id)).resolves.toMatchObject({ from: 'sender@example.com' });
});

test('gRPC: SendEmail, GetEmail with and without the prefix', async () => {
  const email = { from: 'Sender <sender@example.com>', to: ['a@example.com', 'b@example.com'], subject: 'gRPC', body: 'Grüße' };
  const { messageId, status } = await system.grpc<{ messageId: string; status: string }>('sendEmail', { email });
  expect(status).toBe('queued');
  await sent(messageId);
  for (const id of [messageId, messageId.replace('msg_', ''), messageId.replace('msg_', '').toUpperCase()]) {
    const found = await system.grpc<{ email: { id: string; from: string } }>('getEmail', { id });
    expect(found.email).toMatchObject({ id: messageId, from: 'Sender <sender@example.com>' });
  }
  expect(system.relay.received(messageId)).toHaveLength(1);
});

test('everything that a mail can carry comes back from GET and reaches the relay', async () => {
  const content = Buffer.from('attached bytes \0 and more');
  const mail = {
    from: 'Ann Ä <ann@example.com>',
    to: ['Bob <bob@example.net>'],
    cc: ['carol@example.net'],
    bcc: ['dave@example.net'],
    reply_to: ['answers@example.com'],
    subject: 'Grüße ✓',
    body: 'plain',
    html_body: '<p>html <img src="cid:logo"></p>',
    headers: { 'X-Campaign': 'spring' },
    metadata: { order: '4711' },
    on_uncertain: 'hold',
    attachments: [{ filename: 'naïve.png', content_type: 'image/png', content: content.toString('base64'), content_id: 'logo' }],
  };
  const { body } = await system.rest('POST', '/api/v1/mail/send', { body: mail });
  const stored = await sent(body.message_id);
  const { attachments, ...given } = mail;
  expect(stored).toMatchObject(given);
  expect(stored.attachments).toEqual([{ filename: 'naïve.png', content_type: 'image/png', content_id: 'logo', size: content.length }]);
  expect(recipientsOf(stored).map(({ address }) => address)).toEqual(['bob@example.net', 'carol@example.net', 'dave@example.net']);
  expect(system.relay.received(String(body.message_id))[0]?.to).toEqual(['bob@example.net', 'carol@example.net', 'dave@example.net']);
  const parsed = await system.relay.parsed(String(body.message_id));
  expect(parsed.subject).toBe(mail.subject);
  expect(parsed.headers.get('x-campaign')).toBe('spring');
  expect(parsed.headers.has('bcc')).toBe(false);
  expect(parsed.attachments[0]).toMatchObject({ filename: 'naïve.png', cid: 'logo', content });
});

test('a mail for later is scheduled, can be canceled, and is not sent', async () => {
  const sendAt = Math.floor(Date.now() / 1000) + 3600;
  const { body } = await system.rest('POST', '/api/v1/mail/send', { body: { to: ['x@example.com'], send_at: sendAt } });
  expect(body.status).toBe('scheduled');
  const path = `/api/v1/mail/${String(body.message_id)}`;
  const before = (await system.rest('GET', path)).body;
  expect(before).toMatchObject({ status: 'scheduled', send_at: sendAt, recipients: [{ next_attempt_at: sendAt }] });
  const answers = await Promise.all([1, 2].map(() => system.rest('POST', `${path}/cancel`)));
  expect(answers.map((answer) => [answer.status, answer.body])).toEqual([
    [200, { status: 'canceled' }],
    [200, { status: 'canceled' }],
  ]);
  expect((await system.rest('GET', path)).body).toMatchObject({ status: 'canceled', recipients: [{ status: 'canceled' }] });
});

test('a mail for later is sent when its time comes, and not before', async () => {
  const sendAt = Math.floor(Date.now() / 1000) + 2;
  const { body } = await system.rest('POST', '/api/v1/mail/send', { body: { to: ['x@example.com'], send_at: sendAt } });
  expect(body.status).toBe('scheduled');
  const stored = await sent(body.message_id);
  const [attempt] = stored.attempts as { started_at_ms: number }[];
  expect(attempt?.started_at_ms).toBeGreaterThanOrEqual(sendAt * 1000);
  expect(system.relay.received(String(body.message_id))).toHaveLength(1);
});

test('an attachment of almost the message size arrives byte by byte, from the sender’s own address', async () => {
  const content = randomBytes(4_000_000);
  const email = { from: 'sender@example.com', to: ['x@example.com'], attachments: [{ filename: 'big.bin', content }] };
  const { messageId } = await system.grpc<{ messageId: string }>('sendEmail', { email });
  const stored = await sent(messageId);
  const file_id = expect.stringMatching(/^file_/) as string;
  expect(stored.attachments).toEqual([{ filename: 'big.bin', content_type: 'application/octet-stream', file_id, size: content.length }]);
  expect(system.relay.received(messageId)[0]?.from).toBe('sender@example.com');
  expect((await system.relay.parsed(messageId)).attachments[0]?.content.equals(content)).toBe(true);
});

test('a mail that was handed over cannot be canceled', async () => {
  const { body } = await system.rest('POST', '/api/v1/mail/send', { body: { to: ['x@example.com'] } });
  await sent(body.message_id);
  const answer = await system.rest('POST', `/api/v1/mail/${String(body.message_id)}/cancel`);
  expect(answer).toMatchObject({ status: 400, body: { code: 'NOTHING_TO_CANCEL' } });
});

test('a list: newest first, page by page, by every filter, of the own tenant only', async () => {
  const tenant = 'lister';
  const own = token({ tenant });
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    const body = { to: [i % 2 ? 'odd@example.com' : 'even@example.com'], subject: `Number ${i} report`, body: `text\n${i}` };
    ids.unshift(String((await system.rest('POST', '/api/v1/mail/send', { token: own, body })).body.message_id));
  }
  const list = async (query: string) => {
    const { body } = await system.rest('GET', `/api/v1/mail?${query}`, { token: own });
    return { ids: (body.emails as { id: string }[]).map(({ id }) => id), next: body.next_page_token as string | undefined, body };
  };
  await eventually(
    () => list('status=sent'),
    (page) => page.ids.length === 5,
  );
  const first = await list('page_size=2');
  const second = await list(`page_size=2&page_token=${first.next ?? ''}`);
  const third = await list(`page_size=2&page_token=${second.next ?? ''}`);
  expect([...first.ids, ...second.ids, ...third.ids]).toEqual(ids);
  expect(third.next).toBeUndefined();
  expect((await list('to=odd@example.com')).ids).toHaveLength(2);
  expect((await list('subject=number%203')).ids).toEqual([ids[1]]);
  expect((await list('from=sender@example.com')).ids).toHaveLength(5);
  expect((await list('status=bounced')).ids).toEqual([]);
  expect((await list(`created_after=${Math.floor(Date.now() / 1000) + 60}`)).ids).toEqual([]);
  expect((await list('page_size=1')).body.emails).toEqual([
    expect.objectContaining({
      from: 'sender@example.com',
      subject: 'Number 4 report',
      snippet: 'text 4',
      status: 'sent',
      attachment_count: 0,
    }),
  ]);
});

test('another tenant’s id is NOT_FOUND on both wires, as one that never was', async () => {
  const { body } = await system.rest('POST', '/api/v1/mail/send', { body: { to: ['x@example.com'] } });
  const stranger = token({ tenant: 'other' });
  const others = await system.rest('GET', `/api/v1/mail/${String(body.message_id)}`, { token: stranger });
  const never = await system.rest('GET', '/api/v1/mail/123', { token: stranger });
  expect(others.status).toBe(404);
  expect({ ...others.body, request_id: '' }).toEqual({ ...never.body, request_id: '' });
  for (const method of ['getEmail', 'cancelEmail']) {
    expect(await system.grpcError(method, { id: body.message_id }, { token: stranger })).toMatchObject({ reason: 'EMAIL_NOT_FOUND' });
  }
});

test('50 equal idempotency keys at once, on both wires mixed: one mail', async () => {
  const mail = { from: 'sender@example.com', to: ['twin@example.com'], subject: 'Twins', body: 'once' };
  const key = 'twins-1';
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      if (i % 2) {
        const answer = await system.rest('POST', '/api/v1/mail/send', { body: mail, headers: { 'idempotency-key': key } });
        return { id: answer.body.message_id, replayed: answer.headers.get('idempotency-replayed') === 'true' };
      }
      const request = i % 4 ? { email: mail, idempotencyKey: key } : { email: mail };
      const answer = await system.grpc<{ messageId: string; replayed: boolean }>('submitEmail', request, {
        metadata: i % 4 ? {} : { 'idempotency-key': key },
      });
      return { id: answer.messageId, replayed: answer.replayed };
    }),
  );
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  await sent(answers[0]?.id);
  expect(system.relay.received(String(answers[0]?.id))).toHaveLength(1);
  const other = await system.rest('POST', '/api/v1/mail/send', { body: { ...mail, body: 'twice' }, headers: { 'idempotency-key': key } });
  expect(other).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  const both = await system.grpcError('submitEmail', { email: mail, idempotencyKey: 'a' }, { metadata: { 'idempotency-key': 'b' } });
  expect(both).toMatchObject({
    reason: 'INVALID_ARGUMENT',
    details: { violations: [expect.objectContaining({ field: 'idempotency_key' })] },
  });
});
