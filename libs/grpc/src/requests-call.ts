import { Metadata, type sendUnaryData, type ServerReadableStream } from '@grpc/grpc-js';
import { currentCaller } from './call-context';
import type { Caller } from './caller';
import { toStatus } from './grpc-status';
import { goneOf, orIdle, requestsOf } from './incoming-call';
import type { OpenStreams } from './open-streams';
import { orAborted } from './or-aborted';
import { isForTheLog } from './rule-error';

/** The requests of a call with one answer. */
export interface RequestStream<Request> {
  /**
   * The next request; undefined when the client has ended the stream in order. The time in which nobody asks does not count.
   * @throws RuleError DEADLINE_EXCEEDED (idle), CANCELLED, UNAUTHENTICATED (the token expired), SERVER_DRAINING
   */
  read(): Promise<Request | undefined>;
  /** Sends initial metadata, before the answer. */
  tell(name: string, value: string): void;
}

export interface RequestsHandler<Request, Response> {
  streams: OpenStreams;
  /** How long no request may come while one is asked for. */
  idleMs: number;
  run: (stream: RequestStream<Request>, caller: Caller) => Promise<Response>;
  /** For errors that no rule threw, and for what is behind one that a rule did: callers are told nothing of them. */
  log: (error: unknown) => void;
}

/** Serves a call with a stream of requests and one answer: one request is held in hand, and no more is read than is asked for. */
export async function serveRequests<Request, Response>(
  call: ServerReadableStream<Request, Response>,
  answer: sendUnaryData<Response>,
  handler: RequestsHandler<Request, Response>,
): Promise<void> {
  const caller = currentCaller();
  const gone = goneOf(call);
  try {
    const opened = handler.streams.open(caller, gone);
    try {
      answer(null, await handler.run(streamOf(call, opened.signal, handler.idleMs), caller));
    } finally {
      opened.close();
    }
  } catch (error) {
    if (isForTheLog(error)) handler.log(error);
    if (!gone.aborted) answer(toStatus(error));
  }
}

function streamOf<Request>(call: ServerReadableStream<Request, unknown>, ending: AbortSignal, idleMs: number): RequestStream<Request> {
  const nextRequest = requestsOf(call);
  return {
    read: async () => {
      ending.throwIfAborted();
      const request = await orIdle(orAborted(nextRequest(), ending), idleMs, 'no message');
      // A client that has gone is told as one that has ended its stream.
      if (request === undefined) ending.throwIfAborted();
      return request;
    },
    tell: (name, value) => {
      const metadata = new Metadata();
      metadata.set(name, value);
      call.sendMetadata(metadata);
    },
  };
}
