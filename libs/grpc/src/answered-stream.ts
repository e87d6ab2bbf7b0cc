import { InFlight } from './in-flight';
import { orAborted } from './or-aborted';
import { InvalidArgumentError, RuleError } from './rule-error';

/** Characters of a request_ref, at most. */
export const MAX_REQUEST_REF = 255;

// eslint-disable-next-line no-control-regex -- control characters are what it excludes
const REQUEST_REF = /^[^\u0000-\u001f\u007f-\u009f]+$/;

/** What is told of a request that failed. */
export interface FailedAnswer {
  requestRef: string;
  error: unknown;
}

/** A stream of messages with requests, each answered by its request_ref, as its wire gives it. */
export interface AnsweredStream<Message, Answer> {
  /** The next message; undefined when no more come. Not called again before it has resolved. */
  read(): Promise<Message | undefined>;
  /** Resolves once the client's side has taken them. Not called again before it has resolved. */
  write(answers: readonly (Answer | FailedAnswer)[]): Promise<void>;
  /** Aborts, with a RuleError as its reason, when no more is to be read; what was read is still answered. */
  ending: AbortSignal;
  /** Aborts when nobody is there any more to be answered. */
  gone: AbortSignal;
}

export interface AnsweredStreamLimits {
  /** Requests of one stream that are not decided, or whose answers its client has not taken, at most. */
  maxInFlight: number;
  /** How long a stream may be open without a message while nothing of it is under way. */
  idleMs: number;
  /** What all streams of the process may have under way, in bytes. */
  undecided: InFlight;
}

/** A request that may begin: what it costs while it is under way, in bytes, and its work. */
export interface Startable<Answer> {
  bytes: number;
  run: () => Promise<Answer>;
}

/**
 * Reads a stream to its end: hands each message to `take`, which begins its requests by `answers.begin`. Each request is
 * answered once, in any order, together with whichever others are decided. One that fails ends nothing else.
 *
 * Memory is bounded by reading no further: `take` waits when as many requests of the stream are under way as may be, and
 * when all streams of the process together have enough. A request_ref may be used again once it is answered: what was
 * answered is not remembered.
 *
 * Resolves once all that the client sent is answered.
 * @throws RuleError DEADLINE_EXCEEDED (idle), the reason of `ending`, or what `take` throws; all that was begun before is
 *   answered then, too
 */
export async function answerStream<Message, Answer extends object>(
  stream: AnsweredStream<Message, Answer>,
  limits: AnsweredStreamLimits,
  take: (message: Message, answers: Answers<Answer>) => Promise<void>,
): Promise<void> {
  const inFlight = new InFlight(limits.maxInFlight);
  const idle = new IdleTimer(limits.idleMs, inFlight);
  const answers = new Answers<Answer>(stream, inFlight, limits, idle);
  const ending = AbortSignal.any([stream.ending, idle.signal]);
  try {
    for (let message = await next(stream, ending); message !== undefined; message = await next(stream, ending)) {
      idle.restart();
      await take(message, answers);
    }
  } finally {
    idle.stop();
    if (!stream.gone.aborted) await inFlight.enter(limits.maxInFlight, stream.gone);
  }
}

/** Hands answers to the client, those that are ready together in one message, one message at a time. */
export class Answers<Answer extends object> {
  private readonly refs = new Set<string>();
  private readonly undecided = new Set<Promise<void>>();
  private ready: { answer: Answer | FailedAnswer; ref: string | undefined }[] = [];
  private writing = false;

  constructor(
    private readonly stream: Pick<AnsweredStream<never, Answer>, 'write' | 'gone'>,
    private readonly inFlight: InFlight,
    private readonly limits: AnsweredStreamLimits,
    private readonly idle: IdleTimer,
  ) {}

  /**
   * Resolves once the request is under way: the next may come. A ref that is none, or another's, fails the request.
   * @param make called when there is room; what it throws is the request's failure
   */
  async begin(requestRef: string, make: () => Startable<Answer>): Promise<void> {
    const { gone } = this.stream;
    await this.inFlight.enter(1, gone);
    try {
      checkRequestRef(requestRef, this.refs);
    } catch (error) {
      this.hand({ requestRef: requestRef.slice(0, MAX_REQUEST_REF), error }, undefined);
      return;
    }
    this.refs.add(requestRef);
    try {
      const { bytes, run } = make();
      await this.limits.undecided.enter(bytes, gone);
      const decided = run()
        .then(
          (answer) => this.hand(answer, requestRef),
          (error: unknown) => this.hand({ requestRef, error }, requestRef),
        )
        .finally(() => {
          this.limits.undecided.leave(bytes);
          this.undecided.delete(decided);
        });
      this.undecided.add(decided);
    } catch (error) {
      this.hand({ requestRef, error }, requestRef);
    }
  }

  /**
   * An answer about all that was begun before, which is decided when `make` is called. It resolves once the answer is
   * handed over.
   * @throws what `make` throws; then there is no answer
   */
  async afterAll(make: () => Promise<Answer>): Promise<void> {
    const { gone } = this.stream;
    await this.inFlight.enter(1, gone);
    try {
      await orAborted(Promise.all(this.undecided), gone);
      this.hand(await make(), undefined);
    } catch (error) {
      this.inFlight.leave(1);
      throw error;
    }
  }

  private hand(answer: Answer | FailedAnswer, ref: string | undefined): void {
    this.ready.push({ answer, ref });
    if (!this.writing) void this.writeAll();
  }

  private async writeAll(): Promise<void> {
    this.writing = true;
    try {
      // What else its batch decided comes in this turn.
      await Promise.resolve();
      while (this.ready.length > 0 && !this.stream.gone.aborted) {
        const entries = this.ready;
        this.ready = [];
        // Before they are written: a client may use a ref again as soon as it sees its answer.
        for (const { ref } of entries) if (ref !== undefined) this.refs.delete(ref);
        await orAborted(this.stream.write(entries.map(({ answer }) => answer)), this.stream.gone);
        this.idle.restart();
        this.inFlight.leave(entries.length);
      }
    } catch {
      // Nobody takes answers any more: `gone` ends the stream.
    } finally {
      this.writing = false;
    }
  }
}

/** Ends a stream on which nothing has come for so long while nothing was under way. */
class IdleTimer {
  private readonly ending = new AbortController();
  private readonly timer: NodeJS.Timeout;

  constructor(ms: number, inFlight: InFlight) {
    this.timer = setTimeout(() => {
      const message = `no message within ${ms / 1000} s (GRPC_STREAM_IDLE_TIMEOUT)`;
      // Otherwise the next answer starts it again.
      if (inFlight.empty) this.ending.abort(new RuleError('DEADLINE_EXCEEDED', message));
    }, ms).unref();
  }

  get signal(): AbortSignal {
    return this.ending.signal;
  }

  restart(): void {
    this.timer.refresh();
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

function next<Message>(stream: AnsweredStream<Message, never>, ending: AbortSignal): Promise<Message | undefined> {
  return ending.aborted ? Promise.reject(ending.reason as Error) : orAborted(stream.read(), ending);
}

function checkRequestRef(requestRef: string, awaited: ReadonlySet<string>): void {
  const refuse = (description: string) => new InvalidArgumentError([{ field: 'request_ref', description }]);
  if (requestRef === '') throw refuse('is required');
  if (requestRef.length > MAX_REQUEST_REF || !REQUEST_REF.test(requestRef)) {
    throw refuse(`must be 1 to ${MAX_REQUEST_REF} characters, none of them a control character`);
  }
  if (awaited.has(requestRef)) throw refuse('is that of another request of this stream that is not answered yet');
}
