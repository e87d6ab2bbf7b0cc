import { connect } from 'node:net';
import { GatewayFixture } from '../../testing/gateway.fixture';

const fixture = new GatewayFixture();
beforeAll(() => fixture.start({ HTTP_REQUEST_TIMEOUT_SECONDS: '1', HTTP_MAX_CONNECTIONS: '2' }));
afterAll(() => fixture.stop());

const port = () => Number(new URL(fixture.url).port);

test.each([
  ['headers', 'GET /health/live HTTP/1.1\r\nhost: x\r\n'],
  ['a body', 'POST /api/v1/mail/send HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{'],
])('%s that do not arrive in time end the connection', async (_, beginning) => {
  const answer = await fixture.askRaw([beginning]);
  expect([answer.status, answer.json.code]).toEqual([408, 'DEADLINE_EXCEEDED']);
});

test('a body that goes nowhere does not hold its connection', async () => {
  const began = Date.now();
  const answer = await fixture.askRaw([
    'POST /nowhere/%ZZ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{',
  ]);
  expect([answer.status, answer.json.code]).toEqual([400, 'MALFORMED_REQUEST']);
  expect(Date.now() - began).toBeLessThan(4000);
});

test('connections over the limit are closed at once', async () => {
  const sockets = await Promise.all([1, 2, 3].map(() => openUntilSettled()));
  expect(sockets.filter(({ closed }) => closed)).toHaveLength(1);
  sockets.forEach(({ socket }) => socket.destroy());
});

/** A connection that is served answers; one too many is closed. */
function openUntilSettled() {
  const socket = connect(port(), '127.0.0.1');
  socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
  return new Promise<{ socket: typeof socket; closed: boolean }>((resolve) => {
    socket.once('data', () => resolve({ socket, closed: false }));
    socket.once('error', () => resolve({ socket, closed: true }));
    socket.once('close', () => resolve({ socket, closed: true }));
  });
}
