import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { AnsweredStream, FailedAnswer } from './answered-stream';
import { currentCaller } from './call-context';
import type { Caller } from './caller';
import { toStatus } from './grpc-status';
import { goneOf, requestsOf, written } from './incoming-call';
import type { OpenStreams } from './open-streams';
import { RuleError } from './rule-error';

/** How the messages of a call are read and written, and what is done with them. */
export interface DuplexHandler<Request, Response, Message, Answer> {
  streams: OpenStreams;
  toMessage: (request: Request) => Message;
  /** Messages to send, in order. */
  toResponses: (answers: readonly (Answer | FailedAnswer)[]) => readonly Response[];
  run: (stream: AnsweredStream<Message, Answer>, caller: Caller) => Promise<void>;
  /** For errors that no rule threw: callers are told nothing of them. */
  log: (error: unknown) => void;
}

/** Serves a bidi call as an AnsweredStream: one message is held in hand, and ends with the token, the drain or the client. */
export async function serveDuplex<Request, Response, Message, Answer extends object>(
  call: ServerDuplexStream<Request, Response>,
  handler: DuplexHandler<Request, Response, Message, Answer>,
): Promise<void> {
  const caller = currentCaller();
  const gone = goneOf(call);
  try {
    const opened = handler.streams.open(caller, gone);
    try {
      await handler.run(streamOf(call, { ending: opened.signal, gone }, handler), caller);
    } finally {
      opened.close();
    }
    call.end();
  } catch (error) {
    if (gone.aborted) return;
    if (!(error instanceof RuleError)) handler.log(error);
    call.emit('error', toStatus(error));
  }
}

function streamOf<Request, Response, Message, Answer extends object>(
  call: ServerDuplexStream<Request, Response>,
  signals: { ending: AbortSignal; gone: AbortSignal },
  { toMessage, toResponses, log }: DuplexHandler<Request, Response, Message, Answer>,
): AnsweredStream<Message, Answer> {
  const nextRequest = requestsOf(call);
  return {
    ...signals,
    read: async () => {
      const request = await nextRequest();
      return request === undefined ? undefined : toMessage(request);
    },
    write: async (answers) => {
      for (const answer of answers) if ('error' in answer && !(answer.error instanceof RuleError)) log(answer.error);
      for (const response of toResponses(answers)) await written(call, response);
    },
  };
}
