import { type Client, type Metadata, type ServiceError, type ClientUnaryCall } from '@grpc/grpc-js';
import { type GrpcOptions, Transport } from '@nestjs/microservices';
import { loadPackage } from '@sky-genesis/proto';
import { type CallContext, callContext } from './call-context';
import { isBareTimeout, noAnswer, timeForNextHop } from './deadline';
import { EARLY_DATA } from './early-data';
import { fromServiceError } from './grpc-status';
import type { GrpcSettings } from './grpc.settings';
import { REQUEST_ID, TRACEPARENT } from './request-id';

/** What a call carries besides its request and what its context says. */
export interface CallOptions {
  /** `authorization` of the caller on whose behalf this call is made, passed on as it came. */
  authorization?: string | undefined;
  idempotencyKey?: string | undefined;
  /** Bounds this call, in milliseconds. A unary call is bounded by GRPC_TIMEOUT, too; a stream by nothing else. */
  timeoutMs?: number | undefined;
}

/**
 * Options for `ClientsModule`: a channel to one service.
 * @param ownConnection one that no other channel shares
 * @param windowBytes what the other side may send of one stream before it is read; 65,535 where left out. It is also the
 *   memory of a stream whose reader is slow: Node gives the window of the whole connection back as bytes arrive
 */
export function grpcClientOptions(address: string, limits: GrpcSettings, ownConnection = false, windowBytes?: number): GrpcOptions {
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
        'grpc.use_local_subchannel_pool': ownConnection ? 1 : 0,
        ...(windowBytes !== undefined && { 'grpc-node.flow_control_window': windowBytes }),
      },
    },
  };
}

interface UnaryMethod {
  (
    request: unknown,
    metadata: Metadata,
    options: { deadline: number },
    callback: (error: ServiceError | null, response: unknown) => void,
  ): ClientUnaryCall;
  /** /package.Service/Method */
  path: string;
}

/**
 * One unary call with the request id and the trace of the call at hand; cancelled when that call ends. It may take
 * `timeoutMs`, and no more than the call at hand has left, less what that needs to answer itself.
 * @throws RuleError as the service threw it; DEADLINE_EXCEEDED says which hop did not answer, and how long it had
 */
export function unaryCall<Response>(
  client: Client,
  method: string,
  request: unknown,
  metadata: Metadata,
  timeoutMs: number,
): Promise<Response> {
  const context = callContext.getStore();
  addContext(metadata, context);
  return new Promise((resolve, reject) => {
    const invoke = methodOf<UnaryMethod>(client, method);
    const leftMs = Math.min(timeoutMs, timeForNextHop(context?.deadline ?? Infinity));
    if (leftMs <= 0) throw noAnswer(invoke.path, leftMs);
    const cancel = () => call.cancel();
    const call = invoke.call(client, request, metadata, { deadline: Date.now() + leftMs }, (error, response) => {
      context?.signal.removeEventListener('abort', cancel);
      if (error) reject(isBareTimeout(error) ? noAnswer(invoke.path, leftMs) : fromServiceError(error));
      else resolve(response as Response);
    });
    if (context?.signal.aborted) cancel();
    else context?.signal.addEventListener('abort', cancel, { once: true });
  });
}

/** What each hop tells the next: the request id and the trace of the call at hand, and whether it may be a replay. */
export function addContext(metadata: Metadata, context: CallContext | undefined): void {
  if (!context) return;
  metadata.set(REQUEST_ID, context.requestId);
  if (context.traceparent) metadata.set(TRACEPARENT, context.traceparent);
  if (context.earlyData) metadata.set(EARLY_DATA, '1');
}

/** The method of a client that proto-loader made, which TypeScript does not know of. */
export function methodOf<Method>(client: Client, name: string): Method {
  const method = (client as unknown as Record<string, Method | undefined>)[name];
  if (!method) throw new Error(`the contract has no method ${name}`);
  return method;
}
