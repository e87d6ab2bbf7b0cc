import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { SeededRandom } from '../faults/seeded-random';
import { TcpProxy } from '../faults/tcp-proxy';
import { eventually } from '../eventually';

let server: Server;
let proxy: TcpProxy;
let near: Socket;
let far: Socket;
/** What came out at each end, and how the ends ended. */
let heard: string[];

beforeEach(async () => {
  heard = [];
  const listen = (name: string, socket: Socket): Socket =>
    socket
      .on('data', (chunk: Buffer) => heard.push(`${name} ${chunk.toString()}`))
      .on('end', () => heard.push(`${name} end`))
      .on('error', (error: NodeJS.ErrnoException) => heard.push(`${name} ${error.code}`));
  const accepted = new Promise<Socket>((resolve) => (server = createServer({ allowHalfOpen: true }, resolve)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy = await TcpProxy.before((server.address() as AddressInfo).port);
  near = listen('near', connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }));
  far = listen('far', await accepted);
});

afterEach(async () => {
  near.destroy();
  far.destroy();
  await proxy.close();
  server.close();
});

const until = (expected: string[]) =>
  eventually(
    () => heard.join(),
    (now) => now === expected.join(),
  );

test('it passes on what it gets, and the end', async () => {
  near.write('hello');
  await until(['far hello']);
  far.end('there');
  await until(['far hello', 'near there', 'near end']);
});

test('cut: both ends are reset', async () => {
  proxy.cut();
  await eventually(
    () => heard.toSorted().join(),
    (now) => now === 'far ECONNRESET,near ECONNRESET',
  );
});

test('a hole swallows without a word, and gives it out when healed', async () => {
  proxy.hole();
  near.write('hello');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(heard).toEqual([]);
  proxy.heal();
  await until(['far hello']);
});

test('a delay delays', async () => {
  proxy.delay(150);
  const began = performance.now();
  near.write('hello');
  await until(['far hello']);
  expect(performance.now() - began).toBeGreaterThanOrEqual(149);
});

test('healing while something is delayed changes no order', async () => {
  proxy.delay(100);
  near.write('first ');
  await new Promise((resolve) => setTimeout(resolve, 30));
  near.write('second');
  proxy.heal();
  await eventually(
    () => heard.join('').replaceAll('far ', ''),
    (now) => now === 'first second',
    2000,
  );
});

test('half-closed: one end is told the end, what it is sent is dropped, and healing closes the rest', async () => {
  proxy.halfClose({ next: () => 0 } as SeededRandom);
  await until(['near end']);
  far.write('lost');
  near.write('lost too');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(heard).toEqual(['near end']);
  proxy.heal();
  await eventually(
    () => far.destroyed || heard.length > 1,
    (is) => is,
  );
});

test('refused: new connections are reset', async () => {
  proxy.refuse();
  const late = connect(proxy.port, '127.0.0.1');
  const code = await new Promise((resolve) => late.once('error', (error: NodeJS.ErrnoException) => resolve(error.code)));
  expect(code).toBe('ECONNRESET');
});
