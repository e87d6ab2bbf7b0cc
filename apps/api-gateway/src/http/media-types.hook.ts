import { RuleError } from '@sky-genesis/grpc';
import type { FastifyInstance, FastifyRequest } from 'fastify';

export const NDJSON = 'application/x-ndjson';

/** What a route reads its body as, itself and however long it is: lines of JSON, or bytes of any media type, or of none. */
export type StreamedBody = 'ndjson' | 'bytes';

const streamedBody = ({ routeOptions }: FastifyRequest): StreamedBody | undefined =>
  (routeOptions.config as { streamedBody?: StreamedBody } | undefined)?.streamedBody;

/** Whether the route reads its body itself. */
export const isStreamed = (request: FastifyRequest): boolean => streamedBody(request) !== undefined;

export const takesBytes = (request: FastifyRequest): boolean => streamedBody(request) === 'bytes';

/** JSON for every route, but NDJSON, or anything, for those that stream their body. */
export function addMediaTypes(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  // Bytes only: they are read as JSON by the validation pipe, when it is known who asks.
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request: FastifyRequest, body: Buffer, done) => {
    if (isPlain(request)) done(null, body);
    else done(encoded());
  });
  server.addContentTypeParser(NDJSON, (request: FastifyRequest, body, done) => {
    if (streamedBody(request) !== 'ndjson') done(new RuleError('UNSUPPORTED_MEDIA_TYPE', 'the body must be application/json'));
    else if (isPlain(request)) done(null, body);
    else done(encoded());
  });
  server.addContentTypeParser('*', (request: FastifyRequest, _body, done) => {
    if (takesBytes(request) || request.is404) done(null);
    else done(new RuleError('UNSUPPORTED_MEDIA_TYPE'));
  });
  server.addHook('onRequest', (request, _reply, done) => {
    const type = request.headers['content-type'];
    const takes = streamedBody(request);
    if (takes === 'ndjson' && type !== undefined && !isNdjson(type)) done(notNdjson());
    else if (takes === 'bytes' && !isPlain(request)) done(encoded());
    else {
      // Fastify would choose by it who reads the body, and refuse what is no media type: `declaredType` still tells it.
      if (takes === 'bytes') delete request.headers['content-type'];
      done();
    }
  });
}

/** The media type of a body of bytes, as it was declared; undefined where none was. */
export const declaredType = ({ raw }: FastifyRequest): string | undefined => raw.headersDistinct['content-type']?.[0];

export const notNdjson = (): RuleError => new RuleError('UNSUPPORTED_MEDIA_TYPE', `the body must be ${NDJSON}`);

const encoded = (): RuleError => new RuleError('UNSUPPORTED_MEDIA_TYPE', 'content-encoding: the body must come without one');

const isPlain = ({ headers }: FastifyRequest): boolean => [undefined, 'identity'].includes(headers['content-encoding']);

const isNdjson = (type: string): boolean => type.split(';', 1)[0]!.trim().toLowerCase() === NDJSON;
