import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Lets running requests end when the server closes, at most for the grace, and then cuts them. Connections without a
 * running request end at once: Node itself waits for those on which nothing was sent yet.
 */
export function addGracefulClose(server: FastifyInstance, graceMs: number): void {
  const http = server.server;
  const running = new Map<Socket, number>();
  let closing = false;

  http.on('connection', (socket: Socket) => {
    if (closing) {
      socket.destroy();
      return;
    }
    running.set(socket, 0);
    socket.once('close', () => running.delete(socket));
  });
  http.on('request', (request, response) => {
    const { socket } = request;
    count(socket, 1);
    response.once('close', () => {
      count(socket, -1);
      // An answer that began before could not say that its connection ends with it.
      if (closing && running.get(socket) === 0 && request.complete) socket.end();
    });
  });
  const count = (socket: Socket, change: number) => {
    const requests = running.get(socket);
    if (requests !== undefined) running.set(socket, requests + change);
  };

  server.addHook('preClose', (done) => {
    closing = true;
    for (const [socket, requests] of running) if (requests === 0) socket.destroy();
    const timer = setTimeout(() => http.closeAllConnections(), graceMs);
    http.once('close', () => clearTimeout(timer));
    done();
  });
  // A connection that is kept alive ends with the answer that it waits for.
  server.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing) void reply.header('connection', 'close');
    done();
  });
}
