import { AsyncLocalStorage } from 'node:async_hooks';
import type { Metadata } from '@grpc/grpc-js';
import type { Caller } from './caller';
import { saysEarlyData } from './early-data';
import { REQUEST_ID, requestIdFrom } from './request-id';

/** What every hop of a call knows about it. */
export interface CallContext {
  requestId: string;
  /** W3C Trace Context, as it came. */
  traceparent?: string;
  /** It may be a replay: it came in early data (RFC 8470). */
  earlyData?: boolean;
  /** Aborts when the caller goes away or the deadline passes, with a RuleError as its reason: CANCELLED, DEADLINE_EXCEEDED. */
  signal: AbortSignal;
  /** Who the client certificate says the peer is: its DNS names and URIs. Only where TLS has verified one. */
  peer?: readonly string[];
  /** When the answer is of no use any more, in unix milliseconds; Infinity where nothing says so, as of most streams. */
  deadline: number;
  caller?: Caller;
  /** Which of the product's own services calls, where one does. */
  service?: string;
}

export const callContext = new AsyncLocalStorage<CallContext>();

/** Takes over what only somebody who is trusted may say of a call: its request id, and that it may be a replay. */
export function believe(context: CallContext, metadata: Metadata): void {
  context.requestId = requestIdFrom(metadata.get(REQUEST_ID)[0]);
  context.earlyData = saysEarlyData(metadata);
}

/** The caller of the call at hand; only code behind the auth interceptor may ask. */
export function currentCaller(): Caller {
  const caller = callContext.getStore()?.caller;
  if (!caller) throw new Error('no caller: this code runs outside an authenticated call');
  return caller;
}
