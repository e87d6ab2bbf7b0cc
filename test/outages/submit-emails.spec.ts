import { Client } from 'pg';
import { eventually } from '../eventually';
import { email, request, requests, SubmitClient } from '../integration/submit-client';
import { TestSystem, token } from '../integration/test-system';

describe('SubmitEmails', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await TestSystem.start({ GRPC_STREAM_IDLE_TIMEOUT: '3', GRPC_STREAMS_PER_TENANT: '2', MAIL_MAX_QUEUED_PER_TENANT: '100000' });
  });
  afterAll(() => system?.stop());

  const stream = (tenant: string, metadata: Record<string, string> = {}) =>
    new SubmitClient(system.grpcUrl, { token: token({ tenant }), metadata });
  const emailsOf = async (tenant: string) =>
    (await system.database.query<{ id: string }>('select id from email where tenant = $1', [tenant])).length;

  /** Whether two streams, as many as a tenant may have, are open at the same time. */
  const twoAreAdmitted = async (tenant: string): Promise<boolean> => {
    const two = [stream(tenant), stream(tenant)];
    let refused = false;
    for (const each of two) void each.ended.then((error) => (refused ||= error !== null));
    await Promise.all(two.map((each) => each.send([request('probe', { requestRef: '' })])));
    await eventually(() => refused || two.every(({ results }) => results.length === 1), Boolean);
    await Promise.all(two.map((each) => each.end()));
    return !refused;
  };

  test('500 requests in messages of 50: each is answered once, together, and delivered', async () => {
    const client = stream('many');
    for (let i = 0; i < 10; i++) await client.send(requests(i * 50, 50));
    await expect(client.end()).resolves.toBeNull();
    expect(client.results.map(({ requestRef }) => requestRef).sort()).toEqual(
      requests(0, 500)
        .map(({ requestRef }) => requestRef)
        .sort(),
    );
    expect(client.responses).toBeLessThan(250);
    const ids = client.results.map(({ response }) => String(response?.messageId));
    expect(new Set(ids).size).toBe(500);
    await eventually(
      () => ids.filter((id) => system.relay.received(id).length === 1).length,
      (delivered) => delivered === 500,
    );
  }, 60_000);

  test('bad requests fail by themselves, with code, reason and the fields by name; the others are accepted', async () => {
    const client = stream('mixed');
    await client.send([
      request('good'),
      request('no-email', { email: null }),
      request('bad-to', { email: { ...email('x'), to: ['nobody', 'a@example.com', '@'] } }),
      request('bad-from', { email: { ...email('x'), from: 'stranger@example.org' } }),
      request('bad-key', { idempotencyKey: 'kéy' }),
      request('unnamed', { requestRef: '' }),
      request('good-too', { options: { sendAt: String(Math.floor(Date.now() / 1000) + 3600) } }),
    ]);
    await expect(client.end()).resolves.toBeNull();
    expect(client.results).toHaveLength(7);
    expect(client.of('ref-good')[0]?.response).toMatchObject({ status: 'queued', replayed: false });
    expect(client.of('ref-good-too')[0]?.response).toMatchObject({ status: 'scheduled' });
    const fields = (ref: string) => client.errorOf(ref)?.details.violations?.map(({ field }) => field);
    expect(client.errorOf('ref-no-email')?.reason).toBe('INVALID_ARGUMENT');
    expect(fields('ref-no-email')).toEqual(['email']);
    expect(fields('ref-bad-to')).toEqual(['email.to[0]', 'email.to[2]']);
    expect(client.errorOf('ref-bad-from')).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'SENDER_NOT_ALLOWED' });
    expect(fields('ref-bad-key')).toEqual(['idempotency_key']);
    expect(fields('')).toEqual(['request_ref']);
    expect(await emailsOf('mixed')).toBe(2);
  });

  test('equal keys within a stream, across streams and against SubmitEmail are one mail; with other content they are refused', async () => {
    const client = stream('twins');
    const twins = (from: number) => Array.from({ length: 20 }, (_, i) => request('twin', { requestRef: `ref-${from + i}` }));
    await Promise.all([client.send(twins(0)), client.send([...twins(20), request('twin', { requestRef: 'other', email: email('x') })])]);
    await expect(client.end()).resolves.toBeNull();
    const unary = await system.grpc<{ messageId: string; replayed: boolean }>(
      'submitEmail',
      { email: email('twin'), idempotencyKey: 'key-twin' },
      { token: token({ tenant: 'twins' }) },
    );
    const again = stream('twins');
    await again.send([request('twin', { requestRef: 'again' })]);
    await expect(again.end()).resolves.toBeNull();
    const answers = [...client.results, ...again.results].flatMap(({ response }) => (response ? [response] : []));
    expect(answers).toHaveLength(41);
    expect(new Set([...answers, unary].map(({ messageId }) => messageId)).size).toBe(1);
    expect([...answers, unary].filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(client.errorOf('other')?.reason).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(await emailsOf('twins')).toBe(1);
  });

  test('a ref that is not answered yet is refused, and the request that had it first is answered all the same', async () => {
    const blocker = new Client({ connectionString: system.database.url });
    await blocker.connect();
    await blocker.query('begin; lock table email in exclusive mode');
    const client = stream('refs');
    await client.send([request(1), request(1, { idempotencyKey: 'another' })]);
    await eventually(
      () => client.errorOf('ref-1')?.details.violations,
      (violations) => violations?.[0]?.field === 'request_ref',
    );
    await blocker.query('commit');
    await blocker.end();
    await eventually(
      () => client.of('ref-1').length,
      (count) => count === 2,
    );
    await client.send([request(1)]);
    await expect(client.end()).resolves.toBeNull();
    expect(client.of('ref-1').map(({ response }) => response?.replayed)).toEqual([undefined, false, true]);
    expect(await emailsOf('refs')).toBe(1);
  });

  test('more than 1000 requests in a message end the stream, by name; what came before is answered', async () => {
    const client = stream('too-many');
    await client.send([request('first')]);
    await client.send(requests(0, 1001));
    const error = await client.ended;
    expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', details: { violations: [expect.objectContaining({ field: 'requests' })] } });
    expect(client.results.map(({ requestRef }) => requestRef)).toEqual(['ref-first']);
    expect(await emailsOf('too-many')).toBe(1);
  });

  test('a message that is too large, or a key for the whole stream, ends it with the reason', async () => {
    const client = stream('large');
    await client.send([request(1, { email: email(1, 'x'.repeat(4_200_000)) })]);
    expect(await client.ended).toMatchObject({ reason: 'MESSAGE_TOO_LARGE' });
    const metadata = stream('large', { 'idempotency-key': 'one for all' });
    expect(await metadata.ended).toMatchObject({ details: { violations: [expect.objectContaining({ field: 'idempotency_key' })] } });
    expect(await emailsOf('large')).toBe(0);
  });

  test('open streams of a tenant are bounded, and those that ended give their place back, however they ended', async () => {
    const [one, two] = [stream('crowd'), stream('crowd')];
    await Promise.all([one.send([request(1)]), two.send([request(2)])]);
    await eventually(
      () => one.results.length + two.results.length,
      (answered) => answered === 2,
    );
    expect(await stream('crowd').ended).toMatchObject({ reason: 'TOO_MANY_STREAMS' });
    one.cancel();
    await two.send([request(3, { email: email(3, 'x'.repeat(4_200_000)) })]);
    expect(await two.ended).toMatchObject({ reason: 'MESSAGE_TOO_LARGE' });
    await eventually(() => twoAreAdmitted('crowd'), Boolean);
  });

  test('a stream without messages is ended, by the name of the setting', async () => {
    const client = stream('idle');
    await client.send([request(1)]);
    expect(await client.ended).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining('GRPC_STREAM_IDLE_TIMEOUT') as string,
    });
    expect(client.results).toHaveLength(1);
  });

  test('a token that expires: what was sent before is answered, then UNAUTHENTICATED', async () => {
    const client = new SubmitClient(system.grpcUrl, { token: token({ tenant: 'expiring' }, 2) });
    let sent = 0;
    let over = false;
    void client.ended.then(() => (over = true));
    while (!over) {
      await client.send(requests(sent, 10));
      sent += 10;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await client.ended).toMatchObject({ reason: 'UNAUTHENTICATED' });
    expect(client.results.every(({ response }) => response)).toBe(true);
    expect(client.results.length).toBeGreaterThan(0);
    expect(new Set(client.results.map(({ requestRef }) => requestRef)).size).toBe(client.results.length);
    expect(await emailsOf('expiring')).toBe(client.results.length);
  });

  test('cancelled amid a flood: no more is accepted, and every request that was can be found out by its key', async () => {
    const client = stream('leaver');
    const sending = client.send(requests(0, 1000));
    await eventually(
      () => client.results.length,
      (answered) => answered > 0,
    );
    client.cancel();
    await sending;
    expect(await client.ended).toMatchObject({ code: 'CANCELLED' });
    const count = () => emailsOf('leaver');
    let before = -1;
    await eventually(count, (now) => now === before || ((before = now), false));
    // Its place is free, although it never took its last answers.
    await eventually(() => twoAreAdmitted('leaver'), Boolean);
    const again = stream('leaver');
    await again.send(requests(0, 1000));
    await expect(again.end()).resolves.toBeNull();
    expect(again.results.filter(({ response }) => response?.replayed)).toHaveLength(before);
    expect(await emailsOf('leaver')).toBe(1000);
  }, 30_000);

  test('a client that takes no answers is held back: the server reads no further, and goes on when it does', async () => {
    const client = stream('deaf');
    client.pause();
    const CHUNK = 100;
    // Refused ones: nothing of the database slows them down, and their answers are large.
    const flood = (from: number) =>
      Array.from({ length: CHUNK }, (_, i) => request(from + i, { email: { to: Array.from({ length: 20 }, () => 'x'.repeat(40)) } }));
    let left = 0;
    const sending = (async () => {
      for (let from = 0; from < 6000; from += CHUNK) {
        await client.send(flood(from));
        left += CHUNK;
      }
    })();
    let before = -1;
    await eventually(
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return left;
      },
      (now) => now === before || ((before = now), false),
    );
    // In flight, the rest of a message in hand, what HTTP/2 buffers on both sides (grpc-js's own write returns early).
    expect(left).toBeLessThan(2000);
    expect(client.results).toEqual([]);
    client.resume();
    await sending;
    await expect(client.end()).resolves.toBeNull();
    expect(new Set(client.results.map(({ requestRef }) => requestRef)).size).toBe(6000);
    expect(client.results).toHaveLength(6000);
  }, 60_000);
});
