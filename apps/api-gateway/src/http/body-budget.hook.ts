import { RuleError } from '@sky-genesis/grpc';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * Bounds the bytes of all bodies that are held at once: each has a bound of its own, but many large ones together
 * would still take all of the memory. A body is held until its answer is sent; one that does not tell its length
 * counts as the longest.
 */
export function addBodyBudget(server: FastifyInstance, maxBytes: number, maxBodyBytes: number): void {
  let heldBytes = 0;

  server.addHook('onRequest', (request, reply, done) => {
    const bytes = bodyBytes(request, maxBodyBytes);
    if (heldBytes > 0 && bytes > 0 && heldBytes + bytes > maxBytes) {
      done(new RuleError('OVERLOADED', 'the server holds as many request bodies as it can', { retryAfterSeconds: 1 }));
      return;
    }
    heldBytes += bytes;
    // Unlike Fastify's own hook for the end of an answer, this comes for a client that goes away, too.
    reply.raw.once('close', () => (heldBytes -= bytes));
    done();
  });
}

function bodyBytes({ headers }: FastifyRequest, maxBodyBytes: number): number {
  if (headers['transfer-encoding'] !== undefined) return maxBodyBytes;
  return Math.min(Number(headers['content-length'] ?? 0), maxBodyBytes);
}
