import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { takesBytes } from './media-types.hook';

/**
 * A client that asks first (`Expect: 100-continue`) sends the body of a file only when somebody is going to read it: who may
 * not, or has no room for it, is told before. Every other body is asked for at once, as Node does by itself.
 */
export function addExpectContinue(server: FastifyInstance): void {
  server.server.on('checkContinue', (request, response) => server.server.emit('request', request, response));
  server.addHook('onRequest', (request, reply, done) => {
    if (!takesBytes(request)) askForBody(request, reply);
    done();
  });
}

/** Tells a client that waits for it to send its body. Once for a request. */
export function askForBody({ headers, raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.httpVersion === '1.1' && headers.expect?.toLowerCase() === '100-continue') reply.raw.writeContinue();
}
