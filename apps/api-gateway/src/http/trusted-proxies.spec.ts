import type { FastifyRequest } from 'fastify';
import { configFor, GatewayFixture } from '../../testing/gateway.fixture';
import { createHttpAdapter } from './http-server.adapter';

const fixture = new GatewayFixture();
beforeAll(() => fixture.start());
afterAll(() => fixture.stop());

const NETWORKS = '127.0.0.0/8, 198.51.100.7';
const FORWARDED = {
  'x-forwarded-for': '203.0.113.9, 192.0.2.1, 198.51.100.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'api.example.com',
};

/** What the gateway takes for the client of a request from this address, and for the place that it asked. */
async function seenFrom(remoteAddress: string, headers: Record<string, string>) {
  const adapter = createHttpAdapter(configFor('127.0.0.1:1', { TRUSTED_PROXIES: NETWORKS }));
  adapter.getInstance().get('/seen', ({ ip, host, protocol, id }: FastifyRequest) => ({ ip, host, protocol, id }));
  const answer = await adapter.inject({ url: '/seen', headers: { host: 'gateway', ...headers }, remoteAddress } as never);
  await adapter.close();
  return answer.json<{ ip: string; host: string; protocol: string; id: string }>();
}

test.each(['127.0.0.1', '::ffff:127.0.0.1', '198.51.100.7'])(
  'of the trusted proxy %s: the client is the last address that is no proxy',
  async (proxy) => {
    const { ip, host, protocol } = await seenFrom(proxy, FORWARDED);
    expect({ ip, host, protocol }).toEqual({ ip: '192.0.2.1', host: 'api.example.com', protocol: 'https' });
  },
);

test.each(['192.0.2.1', '::1'])('what %s says, which is no trusted proxy, is as if not said', async (peer) => {
  const { ip, host, protocol, id } = await seenFrom(peer, { ...FORWARDED, 'x-request-id': 'mine' });
  expect({ ip, host, protocol }).toEqual({ ip: peer, host: 'gateway', protocol: 'http' });
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
});

test('the request id of a trusted proxy is taken over, unless it is too long', async () => {
  expect((await seenFrom('198.51.100.7', { 'x-request-id': 'mine' })).id).toBe('mine');
  expect((await seenFrom('198.51.100.7', { 'x-request-id': 'x'.repeat(129) })).id).toMatch(/^[0-9a-f-]{36}$/);
});

test('a place that is told is a path, whatever host was asked', async () => {
  const { headers } = await fixture.post('/api/v1/mail/send', { to: ['a@example.com'] }, FORWARDED);
  expect(headers.get('location')).toBe('/api/v1/mail/msg_1');
  const created = await fixture.ask('/api/v1/uploads', {
    method: 'POST',
    headers: { 'tus-resumable': '1.0.0', 'upload-length': '3', ...FORWARDED },
  });
  expect(created.headers.get('location')).toMatch(/^\/api\/v1\/uploads\/[^/]+$/);
});
