import type { ServerDuplexStream, ServerReadableStream, ServerWritableStream } from '@grpc/grpc-js';
import { readNoneAhead } from './read-ahead';
import { RuleError } from './rule-error';

/** A call whose requests are a stream. */
type RequestsCall<Request> = ServerReadableStream<Request, unknown> | ServerDuplexStream<Request, unknown>;
type ResponsesCall<Response> = ServerWritableStream<unknown, Response> | ServerDuplexStream<unknown, Response>;

/** grpc-js tells it of every call that is over, one that it ended itself (a message too large) as one that its client left. */
export function goneOf(call: RequestsCall<unknown> | ResponsesCall<unknown>): AbortSignal {
  const gone = new AbortController();
  for (const event of ['cancelled', 'close']) call.once(event, () => gone.abort(new RuleError('CANCELLED')));
  return gone.signal;
}

/**
 * Gives the next request of a call, one in hand at a time; undefined when its client has ended it. That a client has gone
 * looks the same: `goneOf` tells.
 */
export function requestsOf<Request>(call: RequestsCall<Request>): () => Promise<Request | undefined> {
  readNoneAhead(call);
  const requests = call.iterator({ destroyOnReturn: false }) as AsyncIterator<Request>;
  return async () => {
    const next = await requests.next();
    return next.done === true ? undefined : next.value;
  };
}

/** Resolves when HTTP/2 has taken the message, which the client's flow control decides. */
export const written = <Response>(call: ResponsesCall<Response>, response: Response): Promise<void> =>
  new Promise((resolve, reject) => {
    call.write(response, (error?: Error | null) => (error ? reject(error) : resolve()));
  });

/** @throws RuleError DEADLINE_EXCEEDED when it has not settled within the time; what comes of it then is not asked */
export function orIdle<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const idle = () => reject(new RuleError('DEADLINE_EXCEEDED', `${what} within ${ms / 1000} s (GRPC_STREAM_IDLE_TIMEOUT)`));
    const timer = setTimeout(idle, ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
