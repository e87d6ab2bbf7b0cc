import { eventually } from '../eventually';
import { TestStack } from '../stack';

const SEED_MAIL = { to: ['recipient@example.com'], subject: 'Hello', body: 'Message content' };

describe('the embedded stack', () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.started();
  }, 90_000);

  afterAll(() => stack.remove(), 60_000);

  const send = async (): Promise<string> => {
    const { status, body } = await stack.rest('POST', '/api/v1/mail/send', SEED_MAIL);
    expect(status).toBe(202);
    return String(body['message_id']);
  };

  const sent = (id: string, withinMs?: number) =>
    eventually(
      () => stack.rest('GET', `/api/v1/mail/${id}`),
      ({ body }) => body['status'] === 'sent',
      withinMs,
    );

  test('the seed’s REST requests get the seed’s answers', async () => {
    const { status, headers, body } = await stack.rest('POST', '/api/v1/mail/send', SEED_MAIL);
    expect(status).toBe(202);
    expect(body).toEqual({ message_id: expect.stringMatching(/^msg_/), status: 'queued', timestamp: expect.any(Number) });
    const id = String(body['message_id']);
    expect(headers.get('location')).toBe(`/api/v1/mail/${id}`);
    expect(await stack.received(id)).toContain('Message content');
    const mail = (await sent(id)).body;
    expect(mail).toMatchObject({ id, from: 'sender@example.com', ...SEED_MAIL, timestamp: body['timestamp'] });
    expect((await stack.rest('GET', `/api/v1/mail/${id.slice('msg_'.length)}`)).body).toMatchObject({ id });
  });

  test('faults are named, and a token is needed', async () => {
    const faulty = await stack.rest('POST', '/api/v1/mail/send', { from: 'test' });
    expect(faulty.status).toBe(400);
    expect(faulty.body['errors']).toEqual([expect.objectContaining({ field: 'from' }), expect.objectContaining({ field: 'to' })]);
    const stranger = await stack.rest('POST', '/api/v1/mail/send', SEED_MAIL, 'none');
    expect(stranger).toMatchObject({ status: 401, body: { detail: 'No valid auth token' } });
    expect(stranger.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  test('the line that it prints to paste sends a mail', () => {
    const { urls, token } = stack.description;
    const line = stack.shown.split('\n').find((text) => text.startsWith('curl '));
    expect(line).toContain(`${urls.gateway}/api/v1/mail/send`);
    expect(line).toContain(token);
    expect(line).toContain(JSON.stringify(SEED_MAIL).replaceAll(',"', ', "').replaceAll('":', '": '));
  });

  test('a second start on the same folder is refused by the pid of the first', async () => {
    const second = await stack.startSecond();
    expect(second.exitCode).toBe(1);
    expect(second.shown).toMatch(new RegExp(`already \\(pid ${stack.pid}\\).*\n$`));
    await send();
  });

  test('a part that is killed is named and started again', async () => {
    const { pids } = stack.description;
    process.kill(pids.mail ?? 0, 'SIGKILL');
    const now = await eventually(
      () => stack.description.pids,
      ({ mail }) => mail !== pids.mail,
    );
    expect(now).toEqual({ ...pids, mail: expect.any(Number) });
    expect(stack.shown).toMatch(/mail ended \(SIGKILL\)/);
    await eventually(
      () => stack.rest('POST', '/api/v1/mail/send', SEED_MAIL),
      ({ status }) => status === 202,
    );
  });

  test('what was accepted is there after an orderly end and a new start', async () => {
    const id = await send();
    expect(await stack.end()).toBe(0);
    await stack.start();
    expect((await sent(id)).body).toMatchObject({ id, ...SEED_MAIL });
    expect(await stack.received(id)).toContain('Message content');
  }, 90_000);

  test('so it is when the stack is killed, and nothing of it stays behind', async () => {
    const id = await send();
    const { pids } = stack.description;
    await stack.end('SIGKILL');
    const before = stack.shown.length;
    await stack.start();
    for (const pid of Object.values(pids)) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(stack.shown.slice(before)).toContain('Ready in');
    // A delivery that was under way is taken over once its lease is over.
    expect((await sent(id, 40_000)).body).toMatchObject({ id });
  }, 120_000);
});
