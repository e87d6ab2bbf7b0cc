import { type Client, type Metadata, type ServiceError, type ClientUnaryCall } from '@grpc/grpc-js';
import { type CallContext, callContext } from './call-context';
import { isBareTimeout, noAnswer, timeForNextHop } from './deadline';
import { EARLY_DATA } from './early-data';
import { fromServiceError } from './grpc-status';
import { REQUEST_ID, TRACEPARENT } from './request-id';
import type { RuleError } from './rule-error';

/** What a call carries besides its request and what its context says. */
export interface CallOptions {
  /** `authorization` of the caller on whose behalf this call is made, passed on as it came. */
  authorization?: string | undefined;
  idempotencyKey?: string | undefined;
  /** Bounds this call, in milliseconds. A unary call is bounded by GRPC_TIMEOUT, too; a stream by nothing else. */
  timeoutMs?: number | undefined;
}

/** What a call failed with, as callers are told it. */
export type Explain = (error: ServiceError) => Promise<RuleError>;

/** As the service threw it; where it was not reached, without a cause. */
export const bareError: Explain = (error) => Promise.resolve(fromServiceError(error));

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
  explain: Explain = bareError,
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
      if (!error) resolve(response as Response);
      else if (isBareTimeout(error)) reject(noAnswer(invoke.path, leftMs));
      else explain(error).then(reject, reject);
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
