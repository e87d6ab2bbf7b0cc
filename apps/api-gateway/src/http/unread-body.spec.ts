import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { GatewayFixture, tokenFor } from '../../testing/gateway.fixture';

const fixture = new GatewayFixture();
beforeAll(() => fixture.start({ GRPC_MAX_MESSAGE_SIZE: '65536' }));
afterAll(() => fixture.stop());

const MEGABYTE = Buffer.alloc(1_048_576, 'x');

async function startSending(framing: string): Promise<Socket> {
  const socket = connect(Number(new URL(fixture.url).port), '127.0.0.1');
  await once(socket, 'connect');
  const head = [
    'POST /api/v1/mail/send HTTP/1.1',
    'host: x',
    `authorization: Bearer ${tokenFor()}`,
    'content-type: application/json',
    framing,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  return socket;
}

const written = (socket: Socket, bytes: Buffer | string) =>
  new Promise<void>((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve())));

test('a client that reads only when it has sent everything gets the answer, and can go on', async () => {
  const socket = await startSending(`content-length: ${10 * MEGABYTE.length}`);
  for (let sent = 0; sent < 10; sent++) await written(socket, MEGABYTE);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 .*MESSAGE_TOO_LARGE/s);
  socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
  const [next] = (await once(socket, 'data')) as [Buffer];
  expect(next.toString()).toMatch(/^HTTP\/1\.1 200 /);
  socket.destroy();
});

test('a body that does not end is cut', async () => {
  const socket = await startSending('transfer-encoding: chunked');
  socket.resume();
  const cut = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  let sent = 0;
  const sendMore = () => {
    while (socket.writable && sent < 1024 && socket.write(Buffer.concat([Buffer.from('100000\r\n'), MEGABYTE, Buffer.from('\r\n')])))
      sent++;
  };
  socket.on('drain', sendMore);
  sendMore();
  await cut;
  expect(sent).toBeLessThan(1024);
});
