import type { Caller } from './caller';
import { RuleError } from './rule-error';

/** The longest that setTimeout waits; more makes it fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A stream of one caller, from its opening to `close`. */
export interface OpenStream {
  /** Aborts with a RuleError as its reason: UNAUTHENTICATED (the token expired), SERVER_DRAINING or CANCELLED. */
  readonly signal: AbortSignal;
  /** Gives its place back; always to be called, whatever ended the stream. */
  close(): void;
}

/** The streams of one process: bounded per tenant, none outlives its caller's token, all end when the server is stopped. */
export class OpenStreams {
  private readonly byTenant = new Map<string, Set<AbortController>>();
  private draining = false;

  /** @param maxPerTenant open streams of one tenant in this process */
  constructor(private readonly maxPerTenant: number) {}

  /**
   * @param callSignal ends with the call
   * @throws RuleError TOO_MANY_STREAMS
   */
  open(caller: Caller, callSignal: AbortSignal): OpenStream {
    const streams = this.byTenant.get(caller.tenant) ?? new Set();
    if (streams.size >= this.maxPerTenant) {
      throw new RuleError('TOO_MANY_STREAMS', `the tenant has ${streams.size} open streams, which is as many as it may have`);
    }
    const ending = new AbortController();
    streams.add(ending);
    this.byTenant.set(caller.tenant, streams);
    const cancel = () => ending.abort(callSignal.reason ?? new RuleError('CANCELLED'));
    callSignal.addEventListener('abort', cancel, { once: true });
    const forget = atUnixTime(caller.expiresAt, () => ending.abort(new RuleError('UNAUTHENTICATED', 'the token expired')));
    if (callSignal.aborted) cancel();
    if (this.draining) ending.abort(new RuleError('SERVER_DRAINING'));
    return {
      signal: ending.signal,
      close: () => {
        forget();
        callSignal.removeEventListener('abort', cancel);
        streams.delete(ending);
        if (streams.size === 0 && this.byTenant.get(caller.tenant) === streams) this.byTenant.delete(caller.tenant);
      },
    };
  }

  /** Ends all of them with SERVER_DRAINING, and at once those that are opened from now on. */
  drain(): void {
    this.draining = true;
    for (const streams of this.byTenant.values()) for (const ending of streams) ending.abort(new RuleError('SERVER_DRAINING'));
  }
}

/**
 * Calls back once the clock shows that time, at once when it has passed. The clock is asked again each time the timer
 * fires: it may have been set, and a timer is bounded.
 * @returns what calls it off
 */
function atUnixTime(seconds: number, reached: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const wait = () => {
    const ms = seconds * 1000 - Date.now();
    if (ms <= 0) reached();
    else if (ms < Infinity) timer = setTimeout(wait, Math.min(ms, LONGEST_TIMER_MS)).unref();
  };
  wait();
  return () => clearTimeout(timer);
}
