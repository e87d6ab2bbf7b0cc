import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { type Rpc, rpcs, RuleError } from '@sky-genesis/grpc';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { knownErrorOf, problemOf } from './problem.mapper';
import { PROBLEM_JSON } from './problem.schema';

/** A service that cannot be reached cannot say itself when to ask again. */
const RETRY_AWAY_SECONDS = 2;

/** The one place where an error becomes an answer. What was not foreseen is logged whole and told as INTERNAL. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly maxBodyBytes: number) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(exception, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(exception: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = knownErrorOf(exception, this.maxBodyBytes, contentLengthOf(request)) ?? unforeseen(exception, request.id);
    // Without a route where the router itself refuses.
    const { restName } = (request.routeOptions?.config ?? {}) as { restName?: (field: string) => string };
    const problem = problemOf(error, request.id, restName);
    if (reply.sent) return;
    const challenge = challengeFor(error, request);
    if (challenge) void reply.header('www-authenticate', challenge);
    const { retryAfterSeconds = error.reason === 'SERVICE_UNAVAILABLE' ? RETRY_AWAY_SECONDS : undefined } = error.details;
    if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterSeconds))));
    // Bytes, so that Fastify leaves the media type as it is.
    void reply
      .status(problem.status)
      .header('content-type', PROBLEM_JSON)
      .send(Buffer.from(JSON.stringify(problem)));
  }
}

/** Of a body in chunks nobody knows it. */
const contentLengthOf = ({ headers }: FastifyRequest): number | undefined => Number(headers['content-length']) || undefined;

/** Logs an error whole, and gives what is told of it. */
export function unforeseen(exception: unknown, requestId: string): RuleError {
  logger.error({ err: exception, requestId }, 'a request failed with an error not foreseen');
  return new RuleError('INTERNAL');
}

const logger = new Logger(ProblemFilter.name);

/** RFC 6750: what to present to be let in, and what was wrong with what was presented. */
function challengeFor({ reason }: RuleError, request: FastifyRequest): string | undefined {
  if (reason === 'UNAUTHENTICATED') {
    return request.headers.authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
  }
  if (reason !== 'SCOPE_MISSING') return undefined;
  const { rpc } = request.routeOptions.config as { rpc?: Rpc };
  return `Bearer error="insufficient_scope"${rpc ? `, scope="${rpcs[rpc].scope}"` : ''}`;
}
