import { once } from 'node:events';
import { createServer as createPlain, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { type Pair, TestAuthority } from '../../test/test-authority';

export const authority = new TestAuthority('Our authority');
export const stranger = new TestAuthority('A stranger');

export const DAY_MS = 86_400_000;
export const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);

/** Good for three weeks, unless a test says otherwise. */
export const issue = (by: TestAuthority, name: string, from = inDays(-1), to = inDays(21)): Pair =>
  by.issue({ dns: [name], commonName: name, from, to });

const started = new Set<Server>();
const sockets = new Set<Socket>();

async function listening(server: Server): Promise<number> {
  started.add(server);
  server.on('connection', (socket) => sockets.add(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** A server that speaks TLS and greets, as one of HTTP/2 does; its port. */
export const startTls = (options: TlsOptions): Promise<number> => {
  const server = createServer({ ALPNProtocols: ['h2'], ...options }, (socket) => socket.on('error', () => undefined).write('hello'));
  return listening(server);
};

/** A server that takes connections, and says what it is given, or nothing; its port. */
export const startPlain = (says?: string): Promise<number> =>
  listening(createPlain((socket) => void (says !== undefined && socket.on('error', () => undefined).end(says))));

export function closeServers(): void {
  for (const server of started) server.close();
  for (const socket of sockets) socket.destroy();
  started.clear();
  sockets.clear();
}
