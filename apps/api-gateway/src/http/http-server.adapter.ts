import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { InvalidArgumentError, REQUEST_ID, requestIdFrom, trustedProxies } from '@sky-genesis/grpc';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../gateway.config';
import { FILE_BY_NAME } from '../files/files.schema';
import { addTusVersion } from '../files/tus/tus-version.hook';
import { ProblemFilter } from '../problem/problem.filter';
import { addArrivalBound } from './arrival-bound.hook';
import { addBodyBudget } from './body-budget.hook';
import { answerBrokenRequest } from './broken-request.handler';
import { addEarlyData } from './early-data.hook';
import { addExpectContinue } from './expect-continue.hook';
import { addGracefulClose } from './graceful-close.hook';
import { addMediaTypes } from './media-types.hook';
import { addRequestContext, setRequestHeaders } from './request-context.hook';
import { addUnreadBodyBound } from './unread-body.hook';

/** The request line and the headers together, in bytes. */
export const MAX_HEADER_BYTES = 16_384;
const MAX_PATH_PARAMETER_LENGTH = 512;
/** Bodies of the largest size that are held at once; of smaller ones, as many as take the same memory. */
const LARGEST_BODIES_AT_ONCE = 16;
const HEADERS_TIMEOUT_MS = 10_000;
/** A socket without traffic lives longer than any call, so that it is never cut while its answer is being made. */
const IDLE_SOCKET_RESERVE_MS = 30_000;

/** Fastify with everything bounded that a client can choose: sizes, times, connections, media types. */
export function createHttpAdapter(config: GatewayConfig): FastifyAdapter {
  const problems = new ProblemFilter(config.GRPC_MAX_MESSAGE_SIZE);
  const requestTimeoutMs = config.HTTP_REQUEST_TIMEOUT_SECONDS * 1000;
  const isTrusted = trustedProxies(config.TRUSTED_PROXIES);
  const adapter = new FastifyAdapter({
    bodyLimit: config.GRPC_MAX_MESSAGE_SIZE,
    // Bounded by a hook of ours, which knows the routes.
    requestTimeout: 0,
    keepAliveTimeout: config.HTTP_KEEPALIVE_TIMEOUT_SECONDS * 1000,
    connectionTimeout: (config.GRPC_TIMEOUT + config.HTTP_KEEPALIVE_TIMEOUT_SECONDS) * 1000 + IDLE_SOCKET_RESERVE_MS,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs),
      connectionsCheckingInterval: 1000,
    },
    routerOptions: { maxParamLength: MAX_PATH_PARAMETER_LENGTH },
    trustProxy: (address: string) => isTrusted({ address }),
    requestIdHeader: false,
    genReqId: ({ headers, socket }: IncomingMessage) =>
      requestIdFrom(isTrusted({ address: socket.remoteAddress }) ? headers[REQUEST_ID] : undefined),
    clientErrorHandler: answerBrokenRequest,
    // What the router refuses before any hook runs: a path that cannot be decoded, or has too long a part.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      setRequestHeaders(request, reply);
      problems.answer(nameTooLong(error, request) ?? error, request, reply);
    },
  });
  const server = adapter.getInstance();
  server.server.maxConnections = config.HTTP_MAX_CONNECTIONS;
  addRequestContext(server, isTrusted);
  addEarlyData(server);
  addArrivalBound(server, requestTimeoutMs);
  addMediaTypes(server);
  addExpectContinue(server);
  addBodyBudget(server, LARGEST_BODIES_AT_ONCE * config.GRPC_MAX_MESSAGE_SIZE, config.GRPC_MAX_MESSAGE_SIZE);
  addUnreadBodyBound(server);
  addTusVersion(server);
  addGracefulClose(server, config.DRAIN_SECONDS * 1000);
  return adapter;
}

/** A name that is too long is told as such, not as a route that is not there. */
function nameTooLong(error: Error, { url }: FastifyRequest): InvalidArgumentError | undefined {
  if ((error as { code?: string }).code !== 'FST_ERR_MAX_PARAM_LENGTH' || !url.startsWith(`/${FILE_BY_NAME}/`)) return undefined;
  const description = `must be at most ${MAX_PATH_PARAMETER_LENGTH} characters long in a path`;
  return new InvalidArgumentError([{ field: 'filename', description }]);
}
