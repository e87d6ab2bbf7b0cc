import type { FastifyInstance } from 'fastify';
import type { ClosingSignal } from './closing.signal';

/** Ends each connection with its answer while callers have time to go elsewhere: then none sends a request just when it is closed. */
export function addDraining(server: FastifyInstance, closing: ClosingSignal): void {
  server.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing.isNear) void reply.header('connection', 'close');
    done();
  });
}
