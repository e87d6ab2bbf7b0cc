import { createSocket, type Socket } from 'node:dgram';
import { eventually } from '../eventually';
import { SeededRandom } from '../faults/seeded-random';
import { replayDatagrams } from './replay-datagrams';
import { UdpProxy } from './udp-proxy';
import { UdpSocket } from './udp-socket';

const LOOPBACK = '127.0.0.1';
let server: Socket;
let proxy: UdpProxy;
let clients: UdpSocket[];
/** Of each datagram that the server was sent: what it said, and from which port it came. */
let arrived: { text: string; port: number }[];

beforeEach(async () => {
  arrived = [];
  clients = [];
  server = createSocket('udp4').on('message', (datagram, { port }) => {
    arrived.push({ text: datagram.toString(), port });
    server.send(datagram, port, LOOPBACK);
  });
  await new Promise<void>((resolve) => server.bind(0, LOOPBACK, resolve));
  proxy = await UdpProxy.before(server.address().port, new SeededRandom(7));
});

afterEach(async () => {
  for (const client of clients) client.close();
  await proxy.close();
  await new Promise<void>((resolve) => server.close(resolve));
});

async function newClient(): Promise<{ send: (text: string) => void; answers: string[] }> {
  const client = await UdpSocket.to({ host: LOOPBACK, port: proxy.port });
  clients.push(client);
  const answers: string[] = [];
  client.onDatagram((datagram) => answers.push(datagram.toString()));
  return { send: (text) => client.send(Buffer.from(text)), answers };
}

/** Few at a time, so that the kernel has none to lose. */
async function sendMany(client: { send: (text: string) => void }, count: number): Promise<void> {
  for (let sent = 0; sent < count;) {
    for (const until = sent + 20; sent < until; sent++) client.send(String(sent));
    const seen = () => proxy.toServer.passed + proxy.toServer.dropped;
    await eventually(seen, (datagrams) => datagrams === sent);
  }
}

test('datagrams go both ways and are counted; each client is an address of its own to the server', async () => {
  const [one, other] = [await newClient(), await newClient()];
  one.send('one');
  other.send('other');
  one.send('one again');
  await eventually(
    () => [one.answers.length, other.answers.length],
    ([ones, others]) => ones === 2 && others === 1,
  );
  expect(one.answers.sort()).toEqual(['one', 'one again']);
  expect(new Set(arrived.filter(({ text }) => text.startsWith('one')).map(({ port }) => port)).size).toBe(1);
  expect(new Set(arrived.map(({ port }) => port)).size).toBe(2);
  expect([proxy.toServer, proxy.toClient]).toEqual([
    { passed: 3, dropped: 0 },
    { passed: 3, dropped: 0 },
  ]);
});

test('a fraction is dropped, of each direction, and what passes is what the server gets', async () => {
  const client = await newClient();
  proxy.drop(0.3);
  await sendMany(client, 200);
  expect(proxy.toServer.dropped).toBeGreaterThan(30);
  expect(proxy.toServer.dropped).toBeLessThan(90);
  await eventually(
    () => arrived.length,
    (count) => count === proxy.toServer.passed,
  );
  await eventually(
    () => proxy.toClient.passed + proxy.toClient.dropped,
    (count) => count === proxy.toServer.passed,
  );
  expect(proxy.toClient.dropped).toBeGreaterThan(15);
  await eventually(
    () => client.answers.length,
    (count) => count === proxy.toClient.passed,
  );
});

test('a delay holds up each direction, in order', async () => {
  const client = await newClient();
  proxy.delay(60);
  const since = performance.now();
  for (const text of ['a', 'b', 'c']) client.send(text);
  await eventually(
    () => client.answers.length,
    (count) => count === 3,
  );
  expect(performance.now() - since).toBeGreaterThan(118);
  expect(client.answers).toEqual(['a', 'b', 'c']);
});

test('closed, it lets go of what it held up', async () => {
  const client = await newClient();
  proxy.delay(100_000);
  client.send('never');
  await eventually(
    () => proxy.toServer.passed,
    (count) => count === 1,
  );
  await proxy.close();
  expect(arrived).toEqual([]);
  proxy = await UdpProxy.before(server.address().port, new SeededRandom(7));
});

test('what was recorded is replayed from another port, in order, and its answers are counted', async () => {
  const client = await UdpSocket.to({ host: LOOPBACK, port: proxy.port }, true);
  clients.push(client);
  for (const text of ['1', '2', '3']) client.send(Buffer.from(text));
  await eventually(
    () => arrived.length,
    (count) => count === 3,
  );
  expect(await replayDatagrams(client.recorded, proxy.port)).toBe(3);
  expect(arrived.map(({ text }) => text)).toEqual(['1', '2', '3', '1', '2', '3']);
  expect(arrived[3]?.port).not.toBe(arrived[0]?.port);
});

test('a replay that nobody answers ends', async () => {
  proxy.drop(1);
  expect(await replayDatagrams([Buffer.from('lost')], proxy.port, 100)).toBe(0);
});
