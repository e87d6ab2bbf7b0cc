import { RuleError } from '@sky-genesis/grpc';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BodyBudget } from './body-budget';
import { isStreamed } from './media-types.hook';

declare module 'fastify' {
  interface FastifyInstance {
    bodyBudget: BodyBudget;
  }
}

/**
 * Takes each body from the budget until its answer is sent; one that does not tell its length counts as the longest.
 * A body that is streamed is not held: its route takes what it holds of it.
 */
export function addBodyBudget(server: FastifyInstance, maxBytes: number, maxBodyBytes: number): void {
  const budget = new BodyBudget(maxBytes);
  server.decorate('bodyBudget', budget);
  server.addHook('onRequest', (request, reply, done) => {
    const bytes = isStreamed(request) ? 0 : bodyBytes(request, maxBodyBytes);
    if (!budget.take(bytes)) {
      done(tooManyBodies());
      return;
    }
    // Unlike Fastify's own hook for the end of an answer, this comes for a client that goes away, too.
    if (bytes > 0) reply.raw.once('close', () => budget.giveBack(bytes));
    done();
  });
}

export const tooManyBodies = (): RuleError =>
  new RuleError('OVERLOADED', 'the server holds as many request bodies as it can', { retryAfterSeconds: 1 });

function bodyBytes({ headers }: FastifyRequest, maxBodyBytes: number): number {
  if (headers['transfer-encoding'] !== undefined) return maxBodyBytes;
  return Math.min(Number(headers['content-length'] ?? 0), maxBodyBytes);
}
