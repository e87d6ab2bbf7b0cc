import { type AnsweredStream, type Answers, answerStream, type FailedAnswer } from '@sky-genesis/grpc/answered-stream';
import type { Caller } from '@sky-genesis/grpc/caller';
import { InFlight } from '@sky-genesis/grpc/in-flight';
import { InvalidArgumentError } from '@sky-genesis/grpc/rule-error';
import type { AcceptEmail } from './accept-email';
import type { AcceptedEmail, EmailDraft } from './new-email';

/** Requests of one message, at most. */
export const MAX_REQUESTS = 1000;
/** Requests of one stream that are not decided, or whose answers its client has not taken, at most. */
export const MAX_IN_FLIGHT = 256;
/**
 * What all streams of the process may have under way, in bytes, and what a mail counts at least: 2048 mails. Half of what
 * may wait in AcceptQueue, so that no stream is refused as OVERLOADED on account of others: it waits.
 */
const MAX_UNDECIDED_BYTES = 16 * 1024 * 1024;
const LEAST_BYTES = 8 * 1024;

/** One request of a stream, as its caller wrote it. */
export interface SubmitRequest {
  requestRef: string;
  /** '' for none. */
  idempotencyKey: string;
  /** @throws InvalidArgumentError */
  draft: () => EmailDraft;
}

export interface AcceptedAnswer {
  requestRef: string;
  accepted: AcceptedEmail;
}

/** What became of a request; `error` as AcceptEmail throws it. */
export type SubmitAnswer = AcceptedAnswer | FailedAnswer;

/** A stream as its wire gives it: the requests of a message, and answers to them. */
export type SubmitStream = AnsweredStream<readonly SubmitRequest[], AcceptedAnswer>;

/**
 * Accepts mails by the stream: each request goes into the group commit as it comes, and is answered once, as
 * `answerStream` has it.
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
  run(stream: SubmitStream, caller: Caller): Promise<void> {
    const limits = { maxInFlight: MAX_IN_FLIGHT, idleMs: this.idleMs, undecided: this.undecided };
    return answerStream(stream, limits, async (requests, answers: Answers<AcceptedAnswer>) => {
      checkCount(requests);
      for (const request of requests) await this.begin(request, answers, caller, stream.gone);
    });
  }

  private begin({ requestRef, idempotencyKey, draft }: SubmitRequest, answers: Answers<AcceptedAnswer>, caller: Caller, gone: AbortSignal) {
    return answers.begin(requestRef, () => {
      const email = draft();
      const run = async () => ({ requestRef, accepted: await this.accept.accept(email, idempotencyKey, caller, gone) });
      return { bytes: Math.max(LEAST_BYTES, sizeOf(email)), run };
    });
  }
}

/** A message with more ends the stream: to refuse each by itself would take as many answers as it may not ask for. */
function checkCount(requests: readonly SubmitRequest[]): void {
  if (requests.length <= MAX_REQUESTS) return;
  throw new InvalidArgumentError([{ field: 'requests', description: `must be at most ${MAX_REQUESTS} of one message` }]);
}

/** As AcceptQueue counts it. */
function sizeOf({ subject, body, htmlBody, to, cc, bcc, attachments }: EmailDraft): number {
  const attached = attachments.reduce((sum, { content }) => sum + content.length * 1.4, 0);
  return 1024 + subject.length + body.length + htmlBody.length + (to.length + cc.length + bcc.length) * 128 + attached;
}
