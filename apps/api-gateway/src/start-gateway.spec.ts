import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { configFor } from '../testing/gateway.fixture';
import { startGateway } from './start-gateway';

test('a port in use is an error, and leaves nothing open', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  await expect(startGateway(configFor('127.0.0.1:1', { HTTP_PORT: String(port) }))).rejects.toThrow('EADDRINUSE');
  taken.close();
});
