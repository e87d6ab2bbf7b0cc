import { callContext, RuleError } from '@sky-genesis/grpc';
import type { FastifyInstance } from 'fastify';

/** The methods that change nothing (RFC 9110, 9.2.1), of those that there are. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Refuses what may be a replay and may change something (RFC 8470), before anything of it is read. */
export function addEarlyData(server: FastifyInstance): void {
  server.addHook('onRequest', ({ method }, _reply, done) => {
    done(callContext.getStore()?.earlyData && !SAFE.has(method) ? new RuleError('TOO_EARLY') : undefined);
  });
}
