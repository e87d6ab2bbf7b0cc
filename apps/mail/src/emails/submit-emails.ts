import type { Caller } from '@sky-genesis/grpc/caller';
import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import type { AcceptEmail } from './accept-email';
import { InFlight } from './in-flight';
import type { AcceptedEmail, EmailDraft } from './new-email';

/** Requests of one message, at most. */
export const MAX_REQUESTS = 1000;
/** Requests of one stream that are not decided, or whose answers its client has not taken, at most. */
export const MAX_IN_FLIGHT = 256;
/** Characters of a request_ref, at most. */
export const MAX_REQUEST_REF = 255;
/**
 * What all streams of the process may have under way, in bytes, and what a mail counts at least: 2048 mails. Half of what
 * may wait in AcceptQueue, so that no stream is refused as OVERLOADED on account of others: it waits.
 */
const MAX_UNDECIDED_BYTES = 16 * 1024 * 1024;
const LEAST_BYTES = 8 * 1024;

// eslint-disable-next-line no-control-regex -- control characters are what it excludes
const REQUEST_REF = /^[^\u0000-\u001f\u007f-\u009f]+$/;

/** One request of a stream, as its caller wrote it. */
export interface SubmitRequest {
  requestRef: string;
  /** '' for none. */
  idempotencyKey: string;
  /** @throws InvalidArgumentError */
  draft: () => EmailDraft;
}

/** What became of a request; `error` as AcceptEmail throws it. */
export type SubmitAnswer = { requestRef: string } & ({ accepted: AcceptedEmail } | { error: unknown });

/** A stream as its wire gives it. */
export interface SubmitStream {
  /** The requests of the next message; undefined when no more come. Not called again before it has resolved. */
  read(): Promise<readonly SubmitRequest[] | undefined>;
  /** Resolves once the client's side has taken them. Not called again before it has resolved. */
  write(answers: readonly SubmitAnswer[]): Promise<void>;
  /** Aborts, with a RuleError as its reason, when no more is to be read; what was read is still answered. */
  ending: AbortSignal;
  /** Aborts when nobody is there any more to be answered. */
  gone: AbortSignal;
}

/**
 * Accepts mails by the stream: each request goes into the group commit as it comes, and is answered once, in any order,
 * together with whichever others are decided. One that fails ends nothing else.
 *
 * Memory is bounded by reading no further: when MAX_IN_FLIGHT requests of the stream are not decided, or decided and not
 * yet taken by its client, and when all streams of the process together have enough under way. A request_ref may be used
 * again once it is answered: what was answered is not remembered.
 *
 * Requests that a stream leaves unanswered, however it ended, may be accepted or not. Those with an idempotency key can
 * be sent again on another stream; without one, each repetition may be a second mail.
 */
export class SubmitEmails {
  private readonly undecided = new InFlight(MAX_UNDECIDED_BYTES);

  /** @param idleMs how long a stream may be open without a message while nothing of it is under way */
  constructor(
    private readonly accept: AcceptEmail,
    private readonly idleMs: number,
  ) {}

  /**
   * Resolves once all that the client sent is answered.
   * @throws RuleError INVALID_ARGUMENT (too many requests in a message), DEADLINE_EXCEEDED (idle), the reason of
   *   `ending`; all that was read before is answered then, too
   */
  async run(stream: SubmitStream, caller: Caller): Promise<void> {
    const inFlight = new InFlight(MAX_IN_FLIGHT);
    const idle = new IdleTimer(this.idleMs, inFlight);
    const answers = new Answers(stream, inFlight, idle);
    const ending = AbortSignal.any([stream.ending, idle.signal]);
    try {
      for (let requests = await next(stream, ending); requests; requests = await next(stream, ending)) {
        idle.restart();
        checkCount(requests);
        for (const request of requests) await this.begin(request, answers, inFlight, caller, stream.gone);
      }
    } finally {
      idle.stop();
      if (!stream.gone.aborted) await inFlight.enter(MAX_IN_FLIGHT, stream.gone);
    }
  }

  /** Resolves once the request is under way: the next may come. */
  private async begin(request: SubmitRequest, answers: Answers, inFlight: InFlight, caller: Caller, gone: AbortSignal): Promise<void> {
    await inFlight.enter(1, gone);
    try {
      checkRequestRef(request.requestRef, answers);
      answers.expect(request.requestRef);
    } catch (error) {
      answers.refuse({ requestRef: request.requestRef.slice(0, MAX_REQUEST_REF), error });
      return;
    }
    try {
      const draft = request.draft();
      const bytes = Math.max(LEAST_BYTES, sizeOf(draft));
      await this.undecided.enter(bytes, gone);
      void this.accept
        .accept(draft, request.idempotencyKey, caller, gone)
        .then(
          (accepted) => answers.add({ requestRef: request.requestRef, accepted }),
          (error: unknown) => answers.add({ requestRef: request.requestRef, error }),
        )
        .finally(() => this.undecided.leave(bytes));
    } catch (error) {
      answers.add({ requestRef: request.requestRef, error });
    }
  }
}

/** Hands answers to the client, those that are ready together in one message, one message at a time. */
class Answers {
  private readonly refs = new Set<string>();
  private ready: { answer: SubmitAnswer; expected: boolean }[] = [];
  private writing = false;

  constructor(
    private readonly stream: SubmitStream,
    private readonly inFlight: InFlight,
    private readonly idle: IdleTimer,
  ) {}

  awaits(requestRef: string): boolean {
    return this.refs.has(requestRef);
  }

  expect(requestRef: string): void {
    this.refs.add(requestRef);
  }

  /** The answer to a request that is expected. */
  add(answer: SubmitAnswer): void {
    this.hand({ answer, expected: true });
  }

  /** That of a request whose ref is none, or another's. */
  refuse(answer: SubmitAnswer): void {
    this.hand({ answer, expected: false });
  }

  private hand(entry: { answer: SubmitAnswer; expected: boolean }): void {
    this.ready.push(entry);
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
        for (const { answer, expected } of entries) if (expected) this.refs.delete(answer.requestRef);
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

function next(stream: SubmitStream, ending: AbortSignal): Promise<readonly SubmitRequest[] | undefined> {
  return ending.aborted ? Promise.reject(ending.reason as Error) : orAborted(stream.read(), ending);
}

/** Not Promise.race: each race with a promise that lives as long as the stream would stay in memory as long. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    const over = () => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(over);
  });
}

/** A message with more ends the stream: to refuse each by itself would take as many answers as it may not ask for. */
function checkCount(requests: readonly SubmitRequest[]): void {
  if (requests.length <= MAX_REQUESTS) return;
  throw new InvalidArgumentError([{ field: 'requests', description: `must be at most ${MAX_REQUESTS} of one message` }]);
}

function checkRequestRef(requestRef: string, answers: Answers): void {
  const refuse = (description: string) => new InvalidArgumentError([{ field: 'request_ref', description }]);
  if (requestRef === '') throw refuse('is required');
  if (requestRef.length > MAX_REQUEST_REF || !REQUEST_REF.test(requestRef)) {
    throw refuse(`must be 1 to ${MAX_REQUEST_REF} characters, none of them a control character`);
  }
  if (answers.awaits(requestRef)) throw refuse('is that of another request of this stream that is not answered yet');
}

/** As AcceptQueue counts it. */
function sizeOf({ subject, body, htmlBody, to, cc, bcc, attachments }: EmailDraft): number {
  const attached = attachments.reduce((sum, { content }) => sum + content.length * 1.4, 0);
  return 1024 + subject.length + body.length + htmlBody.length + (to.length + cc.length + bcc.length) * 128 + attached;
}
