import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { eventually } from '../eventually';
import { SeededRandom } from '../faults/seeded-random';
import { EdgeMemory } from './edge-memory';
import { Http3Wire } from './http3.wire';
import { TestEdge } from './test-edge';

const MIB = 1024 * 1024;
const DATAGRAMS = 3000;
/** For an answer on loopback. */
const PROBE_MS = 200;

let edge: TestEdge;
let socket: Socket;
/** What came back. */
let answered: Buffer[];
beforeAll(async () => {
  edge = await TestEdge.start({}, { EDGE_IDLE_TIMEOUT_SECONDS: '4' });
}, 30_000);
afterAll(() => edge?.remove());
beforeEach(async () => {
  answered = [];
  socket = createSocket('udp4').on('message', (datagram) => answered.push(datagram));
  await new Promise<void>((resolve) => socket.connect(edge.port, '127.0.0.1', resolve));
});
afterEach(() => void socket.close());

/** The same ones each time. */
function numbersBelow(seed: number): (bound: number) => number {
  const random = new SeededRandom(seed);
  return (bound) => random.integer(0, bound - 1);
}

/** As fast as they are read: the system drops what is too much. */
const breath = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

const send = (datagram: Buffer): Promise<void> =>
  new Promise((resolve, reject) => socket.send(datagram, (error) => (error ? reject(error) : resolve())));

/** The datagrams that begin a connection. */
async function firstFlight(): Promise<Buffer[]> {
  const wire = await Http3Wire.open(edge, { record: true });
  const flight = [...wire.connection.recorded];
  await wire.close();
  return flight;
}

async function expectServed(): Promise<void> {
  const wire = await Http3Wire.open(edge);
  expect(await wire.rest({ method: 'GET', path: '/health/ready' })).toMatchObject({ status: 200 });
  await wire.close();
  expect(edge.errors).not.toContain('exited on signal');
}

test('datagrams of noise, and such as begin like QUIC, do no harm', async () => {
  const memory = new EdgeMemory(edge);
  const below = numbersBelow(7);
  for (let count = 0; count < DATAGRAMS; count++) {
    if (count % 50 === 0) await breath();
    const datagram = Buffer.from(Array.from({ length: 1 + below(1400) }, () => below(256)));
    // Of every other one the first bytes are those of a long header, of version 1.
    if (count % 2 === 0) Buffer.from([0xc0 | below(64), 0, 0, 0, 1]).copy(datagram);
    await send(datagram);
  }
  await expectServed();
  expect(memory.stop()).toBeLessThan(32 * MIB);
});

test('datagrams of a handshake that are cut, changed, doubled and shuffled do no harm', async () => {
  const memory = new EdgeMemory(edge);
  const below = numbersBelow(11);
  const flight = await firstFlight();
  for (let count = 0; count < DATAGRAMS; count++) {
    if (count % 50 === 0) await breath();
    const datagram = Buffer.from(flight[below(flight.length)]!);
    for (let change = below(4); change > 0; change--) datagram[below(datagram.length)] = below(256);
    await send(datagram.subarray(0, below(3) === 0 ? 1 + below(datagram.length) : datagram.length));
  }
  await expectServed();
  expect(memory.stop()).toBeLessThan(64 * MIB);
});

/** The connection id that the sender of a datagram with a long header chose for itself (RFC 8999, 5.1). */
function idOfPeer(datagram: Buffer): Buffer {
  const source = 6 + datagram[5]!;
  return datagram.subarray(source + 1, source + 1 + datagram[source]!);
}

/** Whether the edge answers what came for a connection, from another address, with a stateless reset (RFC 9000, 10.3): a short header. */
async function isForgotten(id: Buffer): Promise<boolean> {
  const probe = createSocket('udp4');
  try {
    const reset = new Promise<boolean>((resolve) => {
      probe.once('message', (datagram) => resolve((datagram[0]! & 0x80) === 0));
      setTimeout(() => resolve(false), PROBE_MS);
    });
    probe.send(Buffer.concat([Buffer.from([0x40]), id, randomBytes(64)]), edge.port, '127.0.0.1');
    return await reset;
  } finally {
    probe.close();
  }
}

test('an address that is not validated is sent no more than three times what came from it (RFC 9000, 8.1)', async () => {
  const [initial] = await firstFlight();
  await send(initial!);
  await eventually(
    () => answered.length,
    (count) => count > 0,
  );
  // All that the edge sends again without an answer, as long as it knows the connection.
  await eventually(() => isForgotten(idOfPeer(answered[0]!)), Boolean);
  const bytes = answered.reduce((sum, datagram) => sum + datagram.length, 0);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(3 * initial!.length);
});
