import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DynamicModule, RequestMethod } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { type DestinationStream, destination as openDestination } from 'pino';
import type { Options } from 'pino-http';
import { loggerOptions } from './logger.options';
import type { ObservabilitySettings } from './observability.settings';

const PROBE = /^\/(?:health(?:\/|$)|metrics$)/;
const MAX_PATH_LENGTH = 256;
/** Of IPv6 with a zone. What a proxy tells of its client may be anything. */
const MAX_IP_LENGTH = 64;
const CLIENT_CLOSED_REQUEST = 499;

/**
 * Nest's logger, and one line per HTTP request when it is over: request id, client, method, path, status, duration. Neither
 * headers nor bodies nor queries are in it; health checks and metrics are logged at debug only.
 */
export function loggerModule(
  name: string,
  settings: ObservabilitySettings,
  destination: DestinationStream = openDestination(1),
): DynamicModule {
  return LoggerModule.forRoot({
    pinoHttp: [{ ...loggerOptions(name, settings), ...accessLine }, destination],
    // The default of nestjs-pino 5.2 (`{/*splat}`) matches no request on the Fastify adapter of Nest 12.
    forRoutes: [{ path: '/{*path}', method: RequestMethod.ALL }],
  });
}

const accessLine: Options = {
  // With both, pino-http binds no more than the id to the lines of a request.
  quietReqLogger: true,
  quietResLogger: true,
  customAttributeKeys: { reqId: 'request_id' },
  serializers: { req: () => undefined, res: () => undefined },
  customLogLevel: (request, response, error) => {
    if (PROBE.test(pathOf(request))) return 'debug';
    return error || response.statusCode >= 500 ? 'error' : 'info';
  },
  customSuccessMessage: () => 'request',
  customErrorMessage: () => 'request',
  customSuccessObject: (request, response, { responseTime }: { responseTime: number }) => lineOf(request, response, responseTime),
  customErrorObject: (request, response, _error, { responseTime }: { responseTime: number }) => lineOf(request, response, responseTime),
};

function lineOf(request: IncomingMessage & { ip?: string }, response: ServerResponse, responseTime: number) {
  return {
    client_ip: request.ip?.slice(0, MAX_IP_LENGTH),
    method: request.method,
    path: pathOf(request),
    // A client that went away has seen no status.
    status: response.writableEnded ? response.statusCode : CLIENT_CLOSED_REQUEST,
    duration_ms: responseTime,
  };
}

/** The path without its query; what could be an address in it is left out. */
function pathOf(request: IncomingMessage & { originalUrl?: string }): string {
  const [path = ''] = (request.originalUrl ?? request.url ?? '').slice(0, MAX_PATH_LENGTH).split('?', 1);
  return path.split('/').map(withoutAddress).join('/');
}

const withoutAddress = (segment: string): string => (/@|%40/.test(segment) ? '*' : segment);
