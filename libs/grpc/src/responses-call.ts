import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { callContext, currentCaller } from './call-context';
import type { Caller } from './caller';
import { orIdle, written } from './incoming-call';
import type { OpenStreams } from './open-streams';
import { orAborted } from './or-aborted';

export interface ResponsesHandler<Response> {
  streams: OpenStreams;
  /** How long the client may leave a response untaken. Left out: for as long as its connection lives. */
  idleMs?: number;
  /** The next is asked for when the client's side has taken the one before. */
  responses: (caller: Caller, ending: AbortSignal) => AsyncIterable<Response>;
}

/**
 * Serves a call with a stream of responses, one at a time: what is returned as an Observable Nest holds in memory without
 * bound. (Nest knows `@GrpcStreamCall` only where the request is a stream, too.) It ends with the token, the drain, the client.
 * @throws whatever the responses throw; the reason of the end
 */
export async function serveResponses<Response>(
  call: ServerWritableStream<unknown, Response>,
  { streams, idleMs, responses }: ResponsesHandler<Response>,
): Promise<void> {
  const caller = currentCaller();
  const stream = streams.open(caller, callContext.getStore()!.signal);
  try {
    for await (const response of responses(caller, stream.signal)) {
      // Ended meanwhile: what ends it is for the responses to tell, where they can go on from somewhere.
      const taken = orAborted(written(call, response), stream.signal).catch((error: unknown) => {
        if (!stream.signal.aborted) throw error;
      });
      await (idleMs === undefined ? taken : takenInTime(call, taken, idleMs));
    }
  } finally {
    // One that does not read on keeps its place until all is sent or its connection ends.
    if (call.closed) stream.close();
    else call.once('close', () => stream.close());
  }
}

async function takenInTime(call: ServerWritableStream<unknown, unknown>, taken: Promise<void>, idleMs: number): Promise<void> {
  try {
    await orIdle(taken, idleMs, 'nothing was taken');
  } catch (error) {
    // A status would wait behind what is not taken.
    reset(call);
    throw error;
  }
}

/** An interceptor's view of a call, or what is under all of them: private, so nothing of it is taken for granted. */
interface InnerCall {
  nextCall?: InnerCall;
  stream?: ServerHttp2Stream;
}

function reset(call: ServerWritableStream<unknown, unknown>): void {
  let inner = (call as unknown as { call?: InnerCall }).call;
  while (inner?.nextCall) inner = inner.nextCall;
  inner?.stream?.close(constants.NGHTTP2_CANCEL);
}
