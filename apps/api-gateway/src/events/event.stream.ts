import { Readable } from 'node:stream';
import { type CallOptions, type MailClient, RuleError } from '@sky-genesis/grpc';
import type { WatchEventsRequest, WatchEventsResponse } from '@sky-genesis/proto';
import type { ClosingSignal } from '../http/closing.signal';
import { unforeseen } from '../problem/problem.filter';
import { RETRY_FIELD, toErrorFrame, toFrames } from './events.mapper';

type Answers = AsyncGenerator<WatchEventsResponse, void, undefined>;

/** WatchEvents as Server-Sent Events: an answer is asked for when the client has taken the one before. */
export class EventStream {
  /** @param openingMs how long the service may take for its first answer, which it sends at once */
  constructor(
    private readonly mail: MailClient,
    private readonly closing: ClosingSignal,
    private readonly openingMs: number,
  ) {}

  /**
   * The frames, from the first answer on. What goes wrong later is a last frame, `event: error`.
   * @throws RuleError what went wrong before
   */
  async open(request: WatchEventsRequest, call: CallOptions, requestId: string): Promise<Readable> {
    const opening = new AbortController();
    const late = new RuleError('DEADLINE_EXCEEDED', `MailService/WatchEvents: no answer within ${this.openingMs} ms`);
    const timer = setTimeout(() => opening.abort(late), this.openingMs);
    try {
      const answers = this.mail.watchEvents(request, { ...call, signal: AbortSignal.any([this.closing.signal, opening.signal]) });
      const first = await answers.next();
      return Readable.from(framesOf(first, answers, requestId));
    } finally {
      clearTimeout(timer);
    }
  }
}

async function* framesOf(first: IteratorResult<WatchEventsResponse, void>, answers: Answers, requestId: string): AsyncGenerator<string> {
  try {
    yield RETRY_FIELD + (first.done ? '\n' : toFrames(first.value));
    for await (const answer of answers) yield toFrames(answer);
  } catch (error) {
    yield toErrorFrame(error instanceof RuleError ? error : unforeseen(error, requestId), requestId);
  } finally {
    // A client may be gone before the loop has begun.
    await answers.return();
  }
}
