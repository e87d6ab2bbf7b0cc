import { PassThrough, type Readable } from 'node:stream';
import { type CallOptions, type MailClient, RuleError } from '@sky-genesis/grpc';
import type { SubmitEmailRequest, SubmitEmailResult, SubmitEmailsRequest } from '@sky-genesis/proto';
import { arrivingChunks } from '../http/arriving-chunks';
import type { BodyBudget } from '../http/body-budget';
import { type Line, NdjsonLines } from '../http/ndjson-lines';
import { unforeseen } from '../problem/problem.filter';
import { fromResult, readLine, toProblem } from './bulk.mapper';
import type { BulkAnswer } from './bulk.schema';

/** Of the lines at hand, so many go into one message, or so many bytes, but one line in any case. */
const MAX_REQUESTS = 100;
const MAX_REQUEST_BYTES = 1_048_576;
/** Lines that are sent and not answered; the service has a bound of its own, which is less. */
const MAX_UNANSWERED = 4096;
/** Of the answer, what is held for a client that does not read. */
const ANSWER_BYTES = 65_536;

const UNANSWERED =
  'The stream to the service ended before this line was answered: the email may be accepted or not. Repeat it with the same idempotency_key.';

export class BulkSettings {
  /** @param idleMs how long nothing of the request may arrive while it is waited for */
  constructor(
    readonly maxMessageBytes: number,
    readonly idleMs: number,
  ) {}
}

export interface BulkInput {
  body: Readable;
  budget: BodyBudget;
  requestId: string;
}

/**
 * One request of emails line by line, answered line by line while it is still being sent. Holds one message of each kind:
 * the request is not read while the service holds back, answers are not taken while the client does not read.
 */
export class BulkStream {
  readonly answer = new PassThrough({ highWaterMark: ANSWER_BYTES });
  /** What the client calls a line that is sent, by the line's number. */
  private readonly unanswered = new Map<string, string>();
  private readonly ending = new AbortController();
  private readonly lines: NdjsonLines;
  private readonly maxRequestBytes: number;
  /** Why the request was not read to its end. */
  private unread: RuleError | undefined = new RuleError('CANCELLED');
  private answered: () => void = () => undefined;
  /** Of the budget, by lines and messages that have not left, and by each of the messages. */
  private heldBytes = 0;
  private readonly underWay: number[] = [];

  constructor(
    private readonly mail: MailClient,
    private readonly settings: BulkSettings,
    private readonly input: BulkInput,
  ) {
    this.maxRequestBytes = Math.min(MAX_REQUEST_BYTES, settings.maxMessageBytes);
    this.lines = new NdjsonLines(settings.maxMessageBytes, input.budget);
  }

  /** Resolves when everything is answered; never rejects. `closing` ends the reading, and what was read is answered. */
  async run(call: CallOptions, closing: AbortSignal): Promise<void> {
    const stopReading = () => this.ending.abort(closing.reason);
    closing.addEventListener('abort', stopReading, { once: true });
    if (closing.aborted) stopReading();
    const failure = await this.exchange(call);
    closing.removeEventListener('abort', stopReading);
    // The request may be waited for, or room for more of it.
    this.ending.abort(failure);
    this.answered();
    const { requestId } = this.input;
    for (const requestRef of this.unanswered.values()) {
      await this.tell(toProblem(new RuleError(failure.reason, UNANSWERED, failure.details), requestId, requestRef));
    }
    if (this.unread) await this.tell(toProblem(this.unread.reason === 'CANCELLED' ? failure : this.unread, requestId));
    this.answer.end();
  }

  /** Why the stream to the service ended; SERVICE_UNAVAILABLE where it ended as if all were well. */
  private async exchange(call: CallOptions): Promise<RuleError> {
    try {
      for await (const { results } of this.mail.submitEmails(this.messages(), call)) await this.tellResults(results);
      return new RuleError('SERVICE_UNAVAILABLE');
    } catch (error) {
      return error instanceof RuleError ? error : unforeseen(error, this.input.requestId);
    }
  }

  private async *messages(): AsyncGenerator<SubmitEmailsRequest, void, undefined> {
    try {
      for await (const chunk of arrivingChunks(this.input.body, this.settings.idleMs, this.ending.signal)) {
        yield* this.messagesOf(this.lines.push(chunk));
      }
      yield* this.messagesOf(this.lines.end());
      this.unread = undefined;
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      // No more requests come; those that were sent are still answered.
      this.unread = error;
    } finally {
      this.lines.release();
      this.giveBack(this.heldBytes);
    }
  }

  /** Bounded messages of the lines at hand; of these, the ones that are wrong are answered here. */
  private async *messagesOf(lines: Iterable<Line>): AsyncGenerator<SubmitEmailsRequest, void, undefined> {
    let message = emptyMessage();
    for (const line of lines) {
      this.heldBytes += line.heldBytes;
      const read = readLine(line, this.settings.maxMessageBytes);
      if ('refusal' in read) {
        this.giveBack(line.heldBytes);
        await this.tell(toProblem(read.refusal, this.input.requestId, read.requestRef));
        continue;
      }
      if (message.requests.length === MAX_REQUESTS || message.wireBytes + read.wireBytes > this.maxRequestBytes) {
        if (message.requests.length > 0) yield* this.send(message);
        message = emptyMessage();
      }
      message.requests.push(read.request);
      message.wireBytes += read.wireBytes;
      message.heldBytes += line.heldBytes;
      this.unanswered.set(read.request.requestRef, read.requestRef);
    }
    if (message.requests.length > 0) yield* this.send(message);
  }

  private async *send({ requests, heldBytes }: Message): AsyncGenerator<SubmitEmailsRequest, void, undefined> {
    while (this.unanswered.size > MAX_UNANSWERED && !this.ending.signal.aborted) {
      await new Promise<void>((resolve) => (this.answered = resolve));
    }
    this.underWay.push(heldBytes);
    yield { requests };
    // When another is asked for, the one before this has left.
    while (this.underWay.length > 1) this.giveBack(this.underWay.shift() ?? 0);
  }

  private giveBack(bytes: number): void {
    this.heldBytes -= bytes;
    this.input.budget.giveBack(bytes);
  }

  private async tellResults(results: readonly SubmitEmailResult[]): Promise<void> {
    for (const result of results) {
      const requestRef = this.unanswered.get(result.requestRef);
      if (requestRef === undefined) continue;
      this.unanswered.delete(result.requestRef);
      await this.tell(fromResult(result, requestRef, this.input.requestId));
    }
    this.answered();
  }

  /** Resolves when the client has room for more; nothing is told to one that is gone. */
  private async tell(answer: BulkAnswer): Promise<void> {
    if (this.answer.destroyed || this.answer.writableEnded || this.answer.write(`${JSON.stringify(answer)}\n`)) return;
    await new Promise<void>((resolve) => {
      const over = () => {
        this.answer.off('drain', over).off('close', over);
        resolve();
      };
      this.answer.once('drain', over).once('close', over);
    });
  }
}

interface Message {
  requests: SubmitEmailRequest[];
  wireBytes: number;
  /** Of the budget. */
  heldBytes: number;
}

const emptyMessage = (): Message => ({ requests: [], wireBytes: 0, heldBytes: 0 });
