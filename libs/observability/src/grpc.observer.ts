import type { ServerHttp2Stream } from 'node:http2';
import { ResponderBuilder, ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder, status } from '@grpc/grpc-js';
import { type CallContext, callContext, REQUEST_ID } from '@sky-genesis/grpc';
import { type DestinationStream, destination as openDestination, pino } from 'pino';
import { requestDurationSeconds, requestsTotal, responsesTotal } from './grpc.metrics';
import { loggerOptions } from './logger.options';
import type { ObservabilitySettings } from './observability.settings';

const HEALTH = 'grpc.health.v1.Health';
const OUR_FAULT: readonly number[] = [status.UNKNOWN, status.INTERNAL, status.DATA_LOSS];

/**
 * Counts and times every call, and writes one line when it is over: request id, service, method, code, duration.
 * Registered after the call's context and before all else. Only methods that the server has come here (grpc-js itself
 * refuses others), so labels are bounded.
 */
export function grpcObserver(
  name: string,
  settings: ObservabilitySettings,
  destination: DestinationStream = openDestination(1),
): ServerInterceptor {
  const logger = pino(loggerOptions(name, settings), destination);
  return ({ path }, call) => {
    const [, grpc_service = '', grpc_method = ''] = path.split('/');
    const labels = { grpc_service, grpc_method };
    const began = performance.now();
    const stream = streamOf(call);
    let context: CallContext | undefined;
    requestsTotal.inc(labels);

    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        context = callContext.getStore();
        next(metadata);
      })
      // grpc-js calls this once at the end of every call, whatever its end.
      .withOnCancel(() => {
        const ended = { ...stream?.sentHeaders, ...stream?.sentTrailers };
        const code = Number(ended['grpc-status'] ?? status.CANCELLED);
        const grpc_code = status[code] ?? 'UNKNOWN';
        const duration = performance.now() - began;
        responsesTotal.inc({ ...labels, grpc_code });
        requestDurationSeconds.observe(labels, duration / 1000);
        const line = { request_id: context?.requestId ?? ended[REQUEST_ID], ...labels, grpc_code, duration_ms: Math.round(duration) };
        logger[levelOf(grpc_service, code)](line, 'call');
      })
      .build();
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
  };
}

function levelOf(service: string, code: number): 'debug' | 'info' | 'error' {
  if (OUR_FAULT.includes(code)) return 'error';
  return service === HEALTH ? 'debug' : 'info';
}

/**
 * The HTTP/2 stream below a call. Its trailers tell what went to the caller, whoever sent it: the statuses that grpc-js
 * makes by itself (message too large, not decodable, deadline) pass no interceptor. Both fields are private: a test on a
 * real server sees it when they are gone.
 */
function streamOf(call: unknown): Pick<ServerHttp2Stream, 'sentHeaders' | 'sentTrailers'> | undefined {
  let inner = call as { nextCall?: unknown; stream?: ServerHttp2Stream };
  while (inner.nextCall) inner = inner.nextCall as typeof inner;
  return inner.stream;
}
