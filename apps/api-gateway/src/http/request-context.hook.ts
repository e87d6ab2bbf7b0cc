import { callContext, EARLY_DATA, type IsTrusted, REQUEST_ID, RuleError, TRACEPARENT, traceparentFrom } from '@sky-genesis/grpc';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/**
 * Runs each request in a context of its own: its id and trace, whether it came in early data, and a signal that ends when
 * the client goes away.
 */
export function addRequestContext(server: FastifyInstance, isTrusted: IsTrusted): void {
  server.addHook('onRequest', (request, reply, done) => {
    const leaving = new AbortController();
    // The response closes in any case; without having been written to its end, the client is gone.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) leaving.abort(new RuleError('CANCELLED'));
    });
    const traceparent = setRequestHeaders(request, reply);
    const { remoteAddress } = request.socket;
    // Of a peer that is gone already nobody knows who it was: what may be a replay is one then.
    const earlyData = request.headers[EARLY_DATA] !== undefined && (remoteAddress === undefined || isTrusted({ address: remoteAddress }));
    callContext.run({ requestId: request.id, traceparent, earlyData, signal: leaving.signal, deadline: Infinity }, done);
  });
}

/** Work whose calls go on when the client of the request at hand is gone: for so long, and are then cancelled. */
export async function outlivingClient<T>(withinMs: number, work: () => Promise<T>): Promise<T> {
  const context = callContext.getStore();
  if (!context) return work();
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const gone = () => (timer = setTimeout(() => late.abort(new RuleError('CANCELLED')), withinMs));
  if (context.signal.aborted) gone();
  else context.signal.addEventListener('abort', gone, { once: true });
  try {
    return await callContext.run({ ...context, signal: late.signal }, work);
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener('abort', gone);
  }
}

/** Tells the client the request's id and trace, and what a browser may do with the answer: nothing. */
export function setRequestHeaders(request: FastifyRequest, reply: FastifyReply): string {
  const traceparent = traceparentFrom(request.headers[TRACEPARENT]);
  void reply
    .header(REQUEST_ID, request.id)
    .header(TRACEPARENT, traceparent)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('x-frame-options', 'DENY');
  if (request.url.startsWith(DOCS_PATH)) {
    void reply.header('content-security-policy', DOCS_POLICY);
  } else {
    void reply.header('content-security-policy', API_POLICY).header('cache-control', 'no-store');
  }
  return traceparent;
}

const DOCS_PATH = '/api/docs';
const API_POLICY = "default-src 'none'; frame-ancestors 'none'";
/** Swagger UI styles its elements inline and draws its icons from data: URLs; its scripts are files of ours. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
