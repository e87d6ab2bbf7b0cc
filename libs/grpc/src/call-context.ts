import { AsyncLocalStorage } from 'node:async_hooks';
import type { Caller } from './caller';

/** What every hop of a call knows about it. */
export interface CallContext {
  requestId: string;
  /** W3C Trace Context, as it came. */
  traceparent?: string;
  /** Ends when the caller goes away or the deadline passes. */
  signal: AbortSignal;
  caller?: Caller;
  /** Which of the product's own services calls, where one does. */
  service?: string;
}

export const callContext = new AsyncLocalStorage<CallContext>();

/** The caller of the call at hand; only code behind the auth interceptor may ask. */
export function currentCaller(): Caller {
  const caller = callContext.getStore()?.caller;
  if (!caller) throw new Error('no caller: this code runs outside an authenticated call');
  return caller;
}
