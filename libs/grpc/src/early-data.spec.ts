import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { sendUnaryData } from '@grpc/grpc-js';
import { eventually } from '../../../test/eventually';
import { sendAndVanish } from '../../../test/gone-client';
import { callContext } from './call-context';
import { ask, Loopback, metadataOf } from './loopback.fixture';

let loopback: Loopback;
afterEach(() => loopback.close());

/** The bytes that a client sends for one call, as somebody on the way may record them. */
async function recorded(metadata: Record<string, string>): Promise<Buffer> {
  const bytes: Buffer[] = [];
  const [, port] = loopback.url.split(':');
  const recorder = createServer((client: Socket) => {
    const server = connect(Number(port), '127.0.0.1');
    client.on('data', (chunk) => bytes.push(chunk)).pipe(server);
    server.pipe(client);
  });
  await once(recorder.listen(0, '127.0.0.1'), 'listening');
  const client = loopback.client(undefined, {}, `127.0.0.1:${(recorder.address() as AddressInfo).port}`);
  await ask(client, 'GetEmail', {}, metadataOf(metadata));
  client.close();
  recorder.close();
  return Buffer.concat(bytes);
}

test.each([
  [{ 'early-data': '1' }, true],
  [{}, false],
])('of a peer that is gone before it was seen early data counts: it may have been the proxy (%j)', async (metadata, early) => {
  const seen: unknown[] = [];
  const peers: unknown[] = [];
  loopback = await Loopback.start({
    isTrusted: ({ address }) => {
      peers.push(address);
      return false;
    },
    handlers: {
      getEmail: (_call: unknown, callback: sendUnaryData<unknown>) => {
        seen.push(callContext.getStore()?.earlyData);
        callback(null, {});
      },
    },
  });
  const bytes = await recorded(metadata);
  sendAndVanish(Number(loopback.url.split(':')[1]), bytes, 5);
  await eventually(
    () => seen,
    ({ length }) => length === 6,
  );
  expect(peers).toEqual(['127.0.0.1', ...Array<undefined>(5)]);
  expect(seen).toEqual([undefined, ...Array<boolean>(5).fill(early)]);
});
