import { GatewayFixture, tokenFor } from '../../testing/gateway.fixture';

const fixture = new GatewayFixture();
const { mail } = fixture;
beforeAll(() => fixture.start({ GRPC_TIMEOUT: '20' }));
afterAll(() => fixture.stop());

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const send = (headers: Record<string, string> = {}, init: RequestInit = {}) =>
  fixture.ask('/api/v1/mail/send', {
    ...init,
    method: 'POST',
    body: '{"to":["a@example.com"]}',
    headers: { 'content-type': 'application/json', ...headers },
  });

test('the id and the trace of a request go in, through and out', async () => {
  const { headers } = await send({ 'x-request-id': 'my-request.1', traceparent: TRACEPARENT });
  expect([headers.get('x-request-id'), headers.get('traceparent')]).toEqual(['my-request.1', TRACEPARENT]);
  expect([mail.last.metadata.get('x-request-id'), mail.last.metadata.get('traceparent')]).toEqual([['my-request.1'], [TRACEPARENT]]);
});

test('they are made where none are given, or bad ones', async () => {
  const { headers } = await send({ 'x-request-id': 'a b', traceparent: '00-0-0-0' });
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers.get('traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  expect(mail.last.metadata.get('x-request-id')).toEqual([headers.get('x-request-id')]);
});

test('they come back on errors too', async () => {
  const { headers, json } = await fixture.ask('/nowhere', { headers: { 'x-request-id': 'r1', traceparent: TRACEPARENT } });
  expect([headers.get('x-request-id'), headers.get('traceparent'), json.request_id]).toEqual(['r1', TRACEPARENT, 'r1']);
});

test('requests at the same time keep to their own', async () => {
  const ids = Array.from({ length: 20 }, (_, at) => `request-${at}`);
  mail.calls.splice(0);
  const answers = await Promise.all(ids.map((id) => send({ 'x-request-id': id, 'idempotency-key': id })));
  expect(answers.map(({ headers }) => headers.get('x-request-id'))).toEqual(ids);
  const seen = mail.calls.map(({ metadata, request }) => [
    metadata.get('x-request-id')[0],
    (request as { idempotencyKey: string }).idempotencyKey,
  ]);
  expect(seen.every(([id, key]) => id === key)).toBe(true);
});

test('a client that goes away cancels the call behind', async () => {
  const before = mail.submitEmail;
  mail.submitEmail = (_request, { cancelled }) => cancelled.then(() => ({}));
  const leaving = new AbortController();
  const received = mail.nextCall();
  const answer = send({}, { signal: leaving.signal });
  await received;
  leaving.abort();
  await expect(answer).rejects.toThrow('aborted');
  await mail.last.cancelled;
  mail.submitEmail = before;
});

describe('the time allowed', () => {
  const allowedFor = async (headers: Record<string, string>) => {
    const before = Date.now();
    await send(headers);
    return mail.last.deadline.getTime() - before;
  };

  test('is that of the settings', async () => {
    const allowed = await allowedFor({});
    expect(allowed).toBeGreaterThan(15_000);
    expect(allowed).toBeLessThan(25_000);
  });

  test('may be less where the client asks for less', async () => {
    const allowed = await allowedFor({ 'request-timeout': '7.5' });
    expect(allowed).toBeGreaterThan(2_500);
    expect(allowed).toBeLessThan(12_500);
  });

  test('is not more where the client asks for more', async () => {
    expect(await allowedFor({ 'request-timeout': '999999999' })).toBeLessThan(25_000);
  });

  test('ends a call that takes longer', async () => {
    const before = mail.submitEmail;
    mail.submitEmail = (_request, { cancelled }) => cancelled.then(() => ({}));
    const { status, json } = await send({ 'request-timeout': '0.05' });
    expect([status, json.code]).toEqual([504, 'DEADLINE_EXCEEDED']);
    mail.submitEmail = before;
  });
});

test('a service that cannot be reached is a 503', async () => {
  const alone = new GatewayFixture();
  await alone.start();
  alone.mail.stop();
  const { status, json } = await alone.ask('/api/v1/mail/msg_1', { headers: { authorization: `Bearer ${tokenFor()}` } });
  expect([status, json.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
  await alone.close();
});

test('browsers are told to do nothing with an answer', async () => {
  const { headers } = await send();
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
  });
  for (const name of ['x-powered-by', 'server', 'access-control-allow-origin']) expect(headers.get(name)).toBeNull();
});
