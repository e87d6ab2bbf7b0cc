import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { answerBrokenRequest } from './broken-request.handler';
import { isStreamed } from './media-types.hook';

/**
 * Bounds the time that a body may take to arrive. Node's own bound (`requestTimeout`) holds for every route alike; a
 * body that is streamed may take as long as it moves, which its route sees to.
 */
export function addArrivalBound(server: FastifyInstance, maxMs: number): void {
  const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

  // Before Fastify: a request that its router refuses gets to none of its hooks.
  server.server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    if (!hasBody(request)) return;
    const timer = setTimeout(() => endLate(request, response), maxMs).unref();
    timers.set(request, timer);
    request.once('close', () => clearTimeout(timer));
  });

  server.addHook('onRequest', (request, _reply, done) => {
    if (isStreamed(request)) clearTimeout(timers.get(request.raw));
    done();
  });
}

function endLate({ complete, socket }: IncomingMessage, { headersSent }: ServerResponse): void {
  if (complete) return;
  // Answered already: the rest of a body that nobody reads.
  if (headersSent) socket.destroy();
  else answerBrokenRequest(Object.assign(new Error('the request did not arrive in time'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
