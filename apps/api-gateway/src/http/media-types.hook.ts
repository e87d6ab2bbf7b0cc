import { RuleError } from '@sky-genesis/grpc';
import type { FastifyInstance, FastifyRequest } from 'fastify';

export const NDJSON = 'application/x-ndjson';

/** Whether the route reads its body itself, line by line. */
export const isStreamed = ({ routeOptions }: FastifyRequest): boolean =>
  (routeOptions.config as { streamedBody?: boolean } | undefined)?.streamedBody === true;

/** JSON for every route, but NDJSON, and nothing else, for those that stream their body. */
export function addMediaTypes(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  // Bytes only: they are read as JSON by the validation pipe, when it is known who asks.
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request: FastifyRequest, body: Buffer, done) => {
    if (isPlain(request)) done(null, body);
    else done(encoded());
  });
  server.addContentTypeParser(NDJSON, (request: FastifyRequest, body, done) => {
    if (!isStreamed(request)) done(new RuleError('UNSUPPORTED_MEDIA_TYPE', 'the body must be application/json'));
    else if (isPlain(request)) done(null, body);
    else done(encoded());
  });
  server.addHook('onRequest', (request, _reply, done) => {
    const type = request.headers['content-type'];
    if (isStreamed(request) && type !== undefined && !isNdjson(type)) done(notNdjson());
    else done();
  });
}

export const notNdjson = (): RuleError => new RuleError('UNSUPPORTED_MEDIA_TYPE', `the body must be ${NDJSON}`);

const encoded = (): RuleError => new RuleError('UNSUPPORTED_MEDIA_TYPE', 'content-encoding: the body must come without one');

const isPlain = ({ headers }: FastifyRequest): boolean => [undefined, 'identity'].includes(headers['content-encoding']);

const isNdjson = (type: string): boolean => type.split(';', 1)[0]!.trim().toLowerCase() === NDJSON;
