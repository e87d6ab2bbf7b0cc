import { Metadata, ResponderBuilder, ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder, status } from '@grpc/grpc-js';
import { believe, type CallContext, callContext } from './call-context';
import { isBareTimeout, noAnswer, notOver } from './deadline';
import { saysEarlyData } from './early-data';
import { completeStatus, type SentStatus, toStatus } from './grpc-status';
import { REQUEST_ID, requestIdFrom, TRACEPARENT, traceparentFrom } from './request-id';
import { RuleError } from './rule-error';
import { peerIdentities } from './tls/peer-identity';
import type { IsTrusted } from './trusted-proxies';

/** What a caller may send, names and values as they travel (`-bin` as base64); grpc-js has no bound of its own. HTTP/2 ends at 64 KiB. */
const MAX_METADATA_BYTES = 32_768;
/** For what is added on the way: forwarded-for, ids and trace of a proxy, the token of a service (300 bytes). */
const ADDED_METADATA_BYTES = 4096;

export interface CallLimits {
  maxMessageBytes: number;
  /** The longest that a unary call may take; its caller may ask for less. A stream has the time that its caller asks for. */
  timeoutMs: number;
}

/**
 * The first interceptor of every server: gives each call its context (request id, peer, early data, abort signal, deadline),
 * bounds its time and its metadata, and completes the statuses that grpc-js makes by itself. A call that is late when it comes
 * is refused.
 * @param isTrusted whether a peer is believed what it says of a call
 */
export const callContextInterceptor =
  ({ maxMessageBytes, timeoutMs }: CallLimits, isTrusted: IsTrusted): ServerInterceptor =>
  (method, call) => {
    const ending = new AbortController();
    const began = Date.now();
    const asked = Number(call.getDeadline());
    const isUnary = !method.requestStream && !method.responseStream;
    const deadline = isUnary ? Math.min(asked, began + timeoutMs) : asked;
    const context: CallContext = { requestId: requestIdFrom(undefined), signal: ending.signal, deadline };
    const late = () => (isUnary ? noAnswer : notOver)(method.path, deadline - began);
    let timer: NodeJS.Timeout | undefined;
    let answered = false;

    // Patched rather than wrapped: what grpc-js itself sends (message too large, not decodable) passes no wrapper.
    const sendStatus = call.sendStatus.bind(call);
    call.sendStatus = (sent) => {
      clearTimeout(timer);
      answered = true;
      const complete = isBareTimeout(sent) ? toStatus(late()) : completeStatus(sent, maxMessageBytes);
      if (complete.code === status.DEADLINE_EXCEEDED) ending.abort(new RuleError('DEADLINE_EXCEEDED'));
      sendStatus(withRequestId(complete, context.requestId));
    };
    const refuse = (error: RuleError) => call.sendStatus(toStatus(error));
    const endLate = () => call.sendStatus({ code: status.DEADLINE_EXCEEDED, details: '' });

    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const { remoteAddress } = call.getConnectionInfo();
        const peer = peerIdentities(call);
        if (peer) context.peer = peer;
        if (isTrusted({ address: remoteAddress, identities: peer })) believe(context, metadata);
        // Of a peer that is gone already nobody knows who it was: what may be a replay is one then.
        else if (remoteAddress === undefined) context.earlyData = saysEarlyData(metadata);
        context.traceparent = traceparentFrom(metadata.get(TRACEPARENT)[0]);
        if (sizeOf(metadata) > MAX_METADATA_BYTES + ADDED_METADATA_BYTES) {
          refuse(new RuleError('METADATA_TOO_LARGE', `metadata is larger than ${MAX_METADATA_BYTES} bytes`));
          return;
        }
        if (Date.now() >= deadline) {
          endLate();
          return;
        }
        // What the caller asks for grpc-js sees to.
        if (deadline < asked) timer = setTimeout(endLate, deadline - Date.now());
        callContext.run(context, () => next(metadata));
      })
      .withOnReceiveMessage((message, next) => callContext.run(context, () => next(message)))
      .withOnReceiveHalfClose((next) => callContext.run(context, () => next()))
      // grpc-js calls this at the end of every call, whatever its end.
      .withOnCancel(() => {
        clearTimeout(timer);
        if (!answered) ending.abort(new RuleError('CANCELLED'));
      })
      .build();

    return new ServerInterceptingCall(
      call,
      new ResponderBuilder()
        .withStart((next) => next(listener))
        .withSendMetadata((metadata, next) => {
          metadata.set(REQUEST_ID, context.requestId);
          next(metadata);
        })
        .build(),
    );
  };

/** A call that fails has no initial metadata to say it in. */
function withRequestId(sent: SentStatus, requestId: string): SentStatus {
  if (sent.code === status.OK) return sent;
  const metadata = sent.metadata?.clone() ?? new Metadata();
  metadata.set(REQUEST_ID, requestId);
  return { ...sent, metadata };
}

function sizeOf(metadata: Metadata): number {
  let bytes = 0;
  for (const [name, values] of Object.entries(metadata.toHttp2Headers())) {
    for (const value of [values].flat()) bytes += name.length + String(value).length;
  }
  return bytes;
}
