import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecure, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Answer {
  status?: number;
  json?: unknown;
  /** How far its clock is ahead, in milliseconds. */
  aheadMs?: number;
}

/** A server that answers each path as a test says; where it is, without a scheme. */
export async function startHttp(
  answer: (path: string, request: IncomingMessage, body: string) => Answer,
  tls?: ServerOptions,
): Promise<{ address: string; close: () => void }> {
  const server: Server = tls ? createSecure(tls) : createServer();
  server.on('request', (request: IncomingMessage, response) => {
    void text(request).then((body) => {
      const { status = 200, json = {}, aheadMs = 0 } = answer(request.url ?? '', request, body);
      response.writeHead(status, { date: new Date(Date.now() + aheadMs).toUTCString(), connection: 'close' }).end(JSON.stringify(json));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { address: `localhost:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
