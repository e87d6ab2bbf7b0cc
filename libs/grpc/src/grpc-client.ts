import { type Client, type Metadata, type ServiceError, type ClientUnaryCall } from '@grpc/grpc-js';
import { type GrpcOptions, Transport } from '@nestjs/microservices';
import { loadPackage } from '@sky-genesis/proto';
import { callContext } from './call-context';
import { fromServiceError } from './grpc-status';
import type { GrpcSettings } from './grpc.settings';
import { REQUEST_ID, TRACEPARENT } from './request-id';

/** What a call carries besides its request and what its context says. */
export interface CallOptions {
  /** `authorization` of the caller on whose behalf this call is made, passed on as it came. */
  authorization?: string | undefined;
  idempotencyKey?: string | undefined;
  /** Bounds this call, in milliseconds; never more than GRPC_TIMEOUT. */
  timeoutMs?: number | undefined;
}

/** Options for `ClientsModule`: a channel to one service. */
export function grpcClientOptions(address: string, limits: GrpcSettings): GrpcOptions {
  return {
    transport: Transport.GRPC,
    options: {
      url: address,
      package: ['sky_genesis', 'grpc.health.v1'],
      packageDefinition: loadPackage(),
      maxReceiveMessageLength: limits.GRPC_MAX_MESSAGE_SIZE,
      maxSendMessageLength: limits.GRPC_MAX_MESSAGE_SIZE,
      channelOptions: {
        'grpc.keepalive_time_ms': limits.GRPC_KEEPALIVE_TIME * 1000,
        'grpc.keepalive_timeout_ms': 20_000,
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 2000,
        'grpc.service_config_disable_resolution': 1,
        'grpc.enable_channelz': 0,
      },
    },
  };
}

type UnaryMethod = (
  request: unknown,
  metadata: Metadata,
  options: { deadline: number },
  callback: (error: ServiceError | null, response: unknown) => void,
) => ClientUnaryCall;

/**
 * One unary call with a deadline, the request id and the trace of the call at hand; cancelled when that call ends.
 * @throws RuleError as the service threw it
 */
export function unaryCall<Response>(
  client: Client,
  method: string,
  request: unknown,
  metadata: Metadata,
  timeoutMs: number,
): Promise<Response> {
  const context = callContext.getStore();
  if (context) {
    metadata.set(REQUEST_ID, context.requestId);
    if (context.traceparent) metadata.set(TRACEPARENT, context.traceparent);
  }
  return new Promise((resolve, reject) => {
    const invoke = (client as unknown as Record<string, UnaryMethod>)[method];
    if (!invoke) throw new Error(`the contract has no method ${method}`);
    const cancel = () => call.cancel();
    const call = invoke.call(client, request, metadata, { deadline: Date.now() + timeoutMs }, (error, response) => {
      context?.signal.removeEventListener('abort', cancel);
      if (error) reject(fromServiceError(error));
      else resolve(response as Response);
    });
    if (context?.signal.aborted) cancel();
    else context?.signal.addEventListener('abort', cancel, { once: true });
  });
}
