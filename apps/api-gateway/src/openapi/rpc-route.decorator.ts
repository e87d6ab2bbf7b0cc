import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiHeader, ApiOperation, ApiSecurity } from '@nestjs/swagger';
import { Calls } from '@sky-genesis/auth';
import { type ErrorReason, type Rpc, rpcs } from '@sky-genesis/grpc';
import type { StreamedBody } from '../http/media-types.hook';
import { ApiProblems } from './api-problems.decorator';

/** What any route that calls an RPC can answer, whatever it does. */
const ALWAYS: readonly ErrorReason[] = [
  'INVALID_ARGUMENT',
  'UNAUTHENTICATED',
  'SCOPE_MISSING',
  'METADATA_TOO_LARGE',
  'OVERLOADED',
  'DATABASE_UNAVAILABLE',
  'SERVICE_UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
  'UNIMPLEMENTED',
  'INTERNAL',
];

export interface RouteDocs {
  summary: string;
  description: string;
  errors: readonly ErrorReason[];
  /** The route reads its body itself, however long it is. */
  streamedBody?: StreamedBody;
  /** What REST calls a field of the contract here; left out: as for emails. */
  restName?: (field: string) => string;
}

/** A route that is one RPC in REST: asks for that RPC's scope, and documents it with all that it can answer in error. */
export function RpcRoute(rpc: Rpc, docs: RouteDocs): MethodDecorator {
  const { scope, readOnly } = rpcs[rpc];
  return applyDecorators(
    Calls(rpc),
    // For the challenge that names the scope, the errors that name fields, and the hooks that treat a streamed body in their own way.
    RouteConfig({ rpc, streamedBody: docs.streamedBody, restName: docs.restName }),
    ApiSecurity('bearer', [scope]),
    ApiOperation({ summary: docs.summary, description: `${docs.description}\n\nNeeds the scope \`${scope}\`. Calls \`${rpc}\`.` }),
    ApiHeader({
      name: 'Request-Timeout',
      required: false,
      description: 'The longest that the answer may take, in seconds. The server has a limit of its own.',
      schema: { type: 'number', exclusiveMinimum: 0, examples: [2.5] } as never,
    }),
    ApiHeader({
      name: 'x-request-id',
      required: false,
      description:
        'Your own id of the request (128 characters of `A-Z a-z 0-9 _ . : + / = @ -`), where a trusted proxy passes it on: it comes back, and stands in the logs.',
      schema: { type: 'string' },
    }),
    ApiHeader({ name: 'traceparent', required: false, description: 'W3C Trace Context.', schema: { type: 'string' } }),
    ApiProblems(...docs.errors, ...(readOnly ? [] : ['TOO_EARLY' as const]), ...ALWAYS),
  );
}
