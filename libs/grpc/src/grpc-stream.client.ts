import { type ClientDuplexStream, type ClientReadableStream, type ClientWritableStream, type ServiceError, status } from '@grpc/grpc-js';
import { callContext } from './call-context';
import { bareError, type CallOptions, type Explain } from './grpc-client';
import { isBareTimeout } from './deadline';
import { readNoneAhead } from './read-ahead';
import { RuleError } from './rule-error';

export interface StreamOptions extends CallOptions {
  /** Ends the stream, as the end of the call at hand does. Its reason, where that is a RuleError, is what is thrown. */
  signal?: AbortSignal | undefined;
}

/** Options of a stream, what is told where it is not over within their `timeoutMs`, and how its failures are. */
export type BoundedOptions = StreamOptions & { late?: RuleError | undefined; explain?: Explain };

export interface ReadOptions extends BoundedOptions {
  /** For answers so large that none is to be held beside the one in hand. */
  noneAhead?: boolean;
}

/** What ends a stream. */
interface Ends {
  signals: readonly AbortSignal[];
  /** What is told where its own time is over. */
  late: RuleError | undefined;
  explain: Explain;
}

/**
 * The answers of a stream, as fast as they are asked for: grpc-js reads 16 ahead, and the rest waits on the other side.
 * Leaving the loop cancels the call, as does the end of the call at hand. Without a deadline unless one is asked for.
 * @throws RuleError as the service threw it, after the answers that came before; CANCELLED, or the reason of the signal
 */
export function responsesOf<Response>(
  open: () => Promise<ClientReadableStream<Response>>,
  options: ReadOptions,
): AsyncGenerator<Response, void, undefined> {
  return readAll(open, endings(options), options.noneAhead);
}

/**
 * A stream of requests against a stream of answers. A request is taken from `requests` when the one before it has left
 * (one more is made meanwhile), an answer from the service when it is asked for. An error of `requests` cancels the call.
 * @throws RuleError as `responsesOf`; whatever `requests` threw
 */
export function exchange<Request, Response>(
  open: () => Promise<ClientDuplexStream<Request, Response>>,
  requests: AsyncIterable<Request>,
  options: BoundedOptions,
): AsyncGenerator<Response, void, undefined> {
  return sendAndRead(open, requests, endings(options));
}

type Answered<Response> = (error: ServiceError | null, response?: Response) => void;

/**
 * A stream of requests against one answer. A request is taken as `exchange` takes it. An error of `requests` cancels the
 * call, as does the end of the call at hand; so does nothing else.
 * @throws RuleError as the service threw it, whatever else happened; else what `requests` threw; CANCELLED, or the reason
 *   of the signal
 */
export async function sendAll<Request, Response>(
  open: (answered: Answered<Response>) => Promise<ClientWritableStream<Request>>,
  requests: AsyncIterable<Request>,
  options: BoundedOptions,
): Promise<Response> {
  const ends = endings(options);
  let answered!: Answered<Response>;
  const answer = new Promise<Response>((resolve, reject) => {
    answered = (error, response) => (error ? reject(error) : resolve(response as Response));
  });
  const call = await open(answered);
  const letGo = cancelAtEnd(call, ends);
  const sender = new RequestSender(call, requests);
  void sender.run();
  try {
    return await answer;
  } catch (error) {
    if ((error as ServiceError).code !== status.CANCELLED) throw await whatFailed(error as ServiceError, ends);
    throw sender.sourceFailure ? sender.sourceFailure.error : await whyEnded(error, ends);
  } finally {
    letGo();
    sender.stop();
  }
}

/** Taken when the stream is made: it may be read in the context of another call. */
const endings = ({ signal, late, explain = bareError }: BoundedOptions): Ends => ({
  signals: [callContext.getStore()?.signal, signal].filter((ending) => ending !== undefined),
  late,
  explain,
});

async function* sendAndRead<Request, Response>(
  open: () => Promise<ClientDuplexStream<Request, Response>>,
  requests: AsyncIterable<Request>,
  ends: Ends,
): AsyncGenerator<Response, void, undefined> {
  let sender: RequestSender<Request> | undefined;
  const openAndSend = async () => {
    const call = await open();
    sender = new RequestSender(call, requests);
    void sender.run();
    return call;
  };
  try {
    yield* readAll<Response>(openAndSend, ends);
  } catch (error) {
    if (sender?.sourceFailure) throw sender.sourceFailure.error;
    throw error;
  } finally {
    sender?.stop();
  }
}

async function* readAll<Response>(
  open: () => Promise<ClientReadableStream<Response>>,
  ends: Ends,
  noneAhead = false,
): AsyncGenerator<Response, void, undefined> {
  const call = await open();
  if (noneAhead) readNoneAhead(call);
  // The status of a call that was left comes as an 'error', too, when nobody listens any more.
  call.on('error', () => undefined);
  const letGo = cancelAtEnd(call, ends);
  try {
    for await (const response of call) yield response as Response;
  } catch (error) {
    throw await whyEnded(error, ends);
  } finally {
    letGo();
    call.cancel();
  }
}

/** @returns takes the listeners from the signals */
function cancelAtEnd(call: { cancel: () => void }, { signals }: Ends): () => void {
  const cancel = () => call.cancel();
  for (const end of signals) {
    if (end.aborted) cancel();
    else end.addEventListener('abort', cancel, { once: true });
  }
  return () => {
    for (const end of signals) end.removeEventListener('abort', cancel);
  };
}

async function whyEnded(error: unknown, ends: Ends): Promise<RuleError> {
  const reason: unknown = ends.signals.find(({ aborted }) => aborted)?.reason;
  return reason instanceof RuleError ? reason : whatFailed(error as ServiceError, ends);
}

const whatFailed = async (error: ServiceError, { late, explain }: Ends): Promise<RuleError> =>
  late && isBareTimeout(error) ? late : explain(error);

/** Writes requests to a call until they end, fail, or the call does. */
class RequestSender<Request> {
  /** What the requests themselves failed with. */
  sourceFailure: { error: unknown } | undefined;
  private readonly source: AsyncIterator<Request>;
  private stopped = false;
  private wake: () => void = () => undefined;

  constructor(
    private readonly call: Pick<ClientWritableStream<Request>, 'write' | 'end' | 'cancel'>,
    requests: AsyncIterable<Request>,
  ) {
    this.source = requests[Symbol.asyncIterator]();
  }

  async run(): Promise<void> {
    let written: Promise<void> = Promise.resolve();
    for (;;) {
      const next = await this.unlessStopped(this.nextRequest());
      await this.unlessStopped(written);
      if (this.stopped || !next) return;
      if (next.done) {
        this.call.end();
        return;
      }
      written = this.write(next.value);
    }
  }

  /** For a call that has ended. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.wake();
    // Not waited for: a source may be waiting for what never comes.
    void this.source.return?.().catch(() => undefined);
  }

  private async nextRequest(): Promise<IteratorResult<Request> | undefined> {
    try {
      return await this.source.next();
    } catch (error) {
      this.sourceFailure = { error };
      this.call.cancel();
      return undefined;
    }
  }

  /** Settles when the request has left. Its failure is the call's, whose status tells more. */
  private write(request: Request): Promise<void> {
    return new Promise((resolve) => this.call.write(request, () => resolve()));
  }

  /** A race that leaves nothing behind: Promise.race would hold on to each loser for as long as the stream lasts. */
  private unlessStopped<T>(promise: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.wake = () => resolve(undefined);
      if (this.stopped) this.wake();
      promise.then(resolve, reject);
    });
  }
}
