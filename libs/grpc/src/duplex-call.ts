import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { AnsweredStream, FailedAnswer } from './answered-stream';
import { currentCaller } from './call-context';
import type { Caller } from './caller';
import { toStatus } from './grpc-status';
import type { OpenStreams } from './open-streams';
import { readNoneAhead } from './read-ahead';
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

/** grpc-js tells it of every call that is over, one that it ended itself (a message too large) as one that its client left. */
function goneOf(call: ServerDuplexStream<unknown, unknown>): AbortSignal {
  const gone = new AbortController();
  for (const event of ['cancelled', 'close']) call.once(event, () => gone.abort(new RuleError('CANCELLED')));
  return gone.signal;
}

function streamOf<Request, Response, Message, Answer extends object>(
  call: ServerDuplexStream<Request, Response>,
  signals: { ending: AbortSignal; gone: AbortSignal },
  { toMessage, toResponses, log }: DuplexHandler<Request, Response, Message, Answer>,
): AnsweredStream<Message, Answer> {
  readNoneAhead(call);
  const messages = call.iterator({ destroyOnReturn: false }) as AsyncIterator<Request>;
  return {
    ...signals,
    read: async () => {
      const next = await messages.next();
      return next.done === true ? undefined : toMessage(next.value);
    },
    write: async (answers) => {
      for (const answer of answers) if ('error' in answer && !(answer.error instanceof RuleError)) log(answer.error);
      for (const response of toResponses(answers)) await write(call, response);
    },
  };
}

const write = <Response>(call: ServerDuplexStream<unknown, Response>, response: Response): Promise<void> =>
  new Promise((resolve, reject) => {
    call.write(response, (error?: Error | null) => (error ? reject(error) : resolve()));
  });
