import type { FastifyInstance } from 'fastify';

/**
 * Lets running requests end when the server closes, at most for the grace, and then cuts them. Connections that are
 * kept alive end with the answer that they wait for.
 */
export function addGracefulClose(server: FastifyInstance, graceMs: number): void {
  let closing = false;
  server.addHook('preClose', (done) => {
    closing = true;
    const timer = setTimeout(() => server.server.closeAllConnections(), graceMs);
    server.server.once('close', () => clearTimeout(timer));
    done();
  });
  server.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing) void reply.header('connection', 'close');
    done();
  });
}
