import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { GatewayFixture, tokenFor } from '../../testing/gateway.fixture';

const headers = { authorization: `Bearer ${tokenFor()}`, 'content-type': 'application/json' };

async function startHeld(grace: string) {
  const fixture = await new GatewayFixture().start({ DRAIN_SECONDS: grace });
  let answer!: () => void;
  const held = new Promise<void>((resolve) => (answer = resolve));
  fixture.mail.submitEmail = () => held.then(() => ({ messageId: 'msg_1', status: 'queued', timestamp: '1' }));
  const received = fixture.mail.nextCall();
  const agent = new Agent({ keepAlive: true });
  const asked = request(`${fixture.url}/api/v1/mail/send`, { method: 'POST', headers, agent });
  asked.end('{"to":["a@example.com"]}');
  await received;
  return { fixture, asked, agent, answer };
}

test('it is served on for the notice, while readiness says no and connections end with their answers', async () => {
  const fixture = await new GatewayFixture().start({ DRAIN_NOTICE_SECONDS: '1' });
  expect((await fetch(`${fixture.url}/health/ready`)).status).toBe(200);
  const closed = fixture.close();
  const ready = await fetch(`${fixture.url}/health/ready`);
  expect([ready.status, ready.headers.get('connection')]).toEqual([503, 'close']);
  expect(await ready.json()).toMatchObject({ error: { gateway: { status: 'down', message: 'draining' } } });
  fixture.mail.submitEmail = () => Promise.resolve({ messageId: 'msg_1', status: 'queued', timestamp: '1' });
  expect((await fixture.post('/api/v1/mail/send', { to: ['a@example.com'] })).status).toBe(202);
  await closed;
  await expect(fetch(`${fixture.url}/health/live`)).rejects.toThrow();
  fixture.mail.stop();
});

test('a running request ends, on a connection that is kept alive, and then the server is closed', async () => {
  const { fixture, asked, agent, answer } = await startHeld('60');
  const idle = connect(Number(new URL(fixture.url).port), '127.0.0.1');
  await once(idle, 'connect');
  const closed = fixture.close();
  // An idle connection ends at once, which shows that closing has begun.
  idle.resume();
  await once(idle, 'close');
  answer();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  expect([response.statusCode, response.headers.connection]).toEqual([202, 'close']);
  response.resume();
  await closed;
  await expect(fetch(`${fixture.url}/health/live`)).rejects.toThrow();
  agent.destroy();
  fixture.mail.stop();
});

test('a request that does not end within the grace is cut, and its call cancelled', async () => {
  const { fixture, asked, agent } = await startHeld('0');
  const cut = once(asked, 'error');
  await fixture.close();
  expect((await cut)[0]).toMatchObject({ code: 'ECONNRESET' });
  await fixture.mail.last.cancelled;
  agent.destroy();
  fixture.mail.stop();
});
