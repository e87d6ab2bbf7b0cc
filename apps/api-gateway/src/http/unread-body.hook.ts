import type { FastifyInstance } from 'fastify';

const LINGER_MS = 5000;
const LINGER_BYTES = 67_108_864;

/**
 * An answer may be sent while the client still sends its body (413, 415, 401). To close the connection then would
 * destroy the answer on its way, so the rest is read and dropped: for a while, and up to a size.
 */
export function addUnreadBodyBound(server: FastifyInstance): void {
  server.addHook('onSend', (request, reply, _payload, done) => {
    // Fastify closes the connection on such errors.
    if (!request.raw.complete) void reply.removeHeader('connection');
    done();
  });
  server.addHook('onResponse', (request, _reply, done) => {
    const { raw } = request;
    if (!raw.complete && !raw.destroyed) {
      let dropped = 0;
      const timer = setTimeout(() => raw.socket.destroy(), LINGER_MS).unref();
      raw.on('data', (chunk: Buffer) => {
        dropped += chunk.length;
        if (dropped > LINGER_BYTES) raw.socket.destroy();
      });
      raw.once('end', () => clearTimeout(timer));
      raw.once('close', () => clearTimeout(timer));
      raw.resume();
    }
    done();
  });
}
