import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { EVENT_STREAM } from '../events/events.schema';
import { problem } from '../problem/problem.schema';

const DESCRIPTION = `Send mail and see what became of it, for each recipient; find mails and documents; upload and download files.

- Every route is one RPC of the gRPC contract, with the same rules and the same error codes.
- Names are snake_case; times are unix seconds unless a name ends in \`_ms\`; lists of words (states, kinds) may grow.
- What is not known in a body or a query is refused by its name.
- Errors are \`application/problem+json\` (RFC 9457); \`code\` is stable.`;

/** The OpenAPI 3.1 document, made from the controllers and the very schemas that check requests. */
export function openApiDocument(app: NestFastifyApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('SGE Enterprise API')
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .setDescription(DESCRIPTION)
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A token whose `scope` names what it may do.' },
      'bearer',
    )
    .addTag('mail', 'Send, read, list, cancel and resolve emails.')
    .addTag('events', 'What happened to emails, in order.')
    .addTag('search', 'Find emails and documents; put documents to be found.')
    .addTag('files', 'Upload, download and delete files; go on with uploads where a connection ended.')
    .addTag('health', 'Whether the gateway is there, and whether it can serve. Open to everyone.');
  const document = SwaggerModule.createDocument(app, builder.build(), {
    // The library's controller of /metrics calls its method `index`.
    operationIdFactory: (controller, method) => (controller === 'PrometheusController' ? 'metrics' : method),
    standardSchemaConverter: (schema, { schemaType }) => toJsonSchema(schema as unknown as z.ZodType, schemaType),
  });
  const schemas = ((document.components ??= {}).schemas ??= {});
  schemas.Problem = toJsonSchema(problem, 'output').components.Problem as never;
  describeParameters(document);
  describeEventStreams(document);
  return document;
}

/** Nest gives an answer one schema, whatever its media type. */
function describeEventStreams({ paths }: OpenAPIObject): void {
  for (const { get } of Object.values(paths)) {
    const answer = get?.responses['200'];
    if (!answer || !('content' in answer) || !answer.content?.[EVENT_STREAM]) continue;
    const schema = { type: 'string' as const, description: '`data` of each event is an `EmailEvent`, of `event: error` a `Problem`.' };
    answer.content[EVENT_STREAM] = { schema, example: EVENT_STREAM_EXAMPLE };
  }
}

const EVENT_STREAM_EXAMPLE = `retry: 2000
id: 4710

id: 4711
event: email.sent
data: {"id":"evt_0193a5c1-7f3e-7c3a-9d55-0a1b2c3d4e5f","cursor":"4711","type":"email.sent", ...}

`;

/** Readers of the document look for a parameter's description beside its schema, not in it. */
function describeParameters({ paths }: OpenAPIObject): void {
  for (const operations of Object.values(paths)) {
    for (const { parameters = [] } of [
      operations.get,
      operations.put,
      operations.post,
      operations.patch,
      operations.head,
      operations.delete,
    ].filter((operation) => operation !== undefined)) {
      for (const parameter of parameters) {
        if ('schema' in parameter) parameter.description ??= (parameter.schema as { description?: string }).description ?? '';
      }
    }
  }
}

/** Nest would ask zod for OpenAPI 3.0; 3.1 is JSON Schema 2020-12. */
function toJsonSchema(schema: z.ZodType, io: 'input' | 'output') {
  const { $schema: _, $defs = {}, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io });
  return { schema: rest as never, components: $defs as Record<string, never> };
}
