import type { FastifyInstance } from 'fastify';
import { TUS_PATH, TUS_VERSION } from './tus-headers';

/** Every answer under the path of tus says its version, whatever becomes of the request. */
export function addTusVersion(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    if (request.url.startsWith(`/${TUS_PATH}`)) void reply.header('tus-resumable', TUS_VERSION);
    done();
  });
}
