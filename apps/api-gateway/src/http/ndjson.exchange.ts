import { PassThrough, type Readable } from 'node:stream';
import { type CallOptions, fromRpcStatus, RuleError } from '@sky-genesis/grpc';
import type { Failure } from '@sky-genesis/proto';
import { unforeseen } from '../problem/problem.filter';
import { problemOf } from '../problem/problem.mapper';
import type { Problem } from '../problem/problem.schema';
import { arrivingChunks } from './arriving-chunks';
import type { BodyBudget } from './body-budget';
import { type Line, NdjsonLines } from './ndjson-lines';
import { readLine } from './request-ref';

/** Of the lines at hand, so many go into one message, or so many bytes, but one line in any case. */
const MAX_REQUESTS = 100;
const MAX_REQUEST_BYTES = 1_048_576;
/** Lines that are sent and not answered; the service has a bound of its own, which is less. */
const MAX_UNANSWERED = 4096;
/** Of the answer, what is held for a client that does not read. */
const ANSWER_BYTES = 65_536;

/** What the service says of one request. */
export interface Answered {
  requestRef: string;
  failure?: Failure | undefined;
}

/** In what the routes of NDJSON differ: their RPC, its messages, and how both are written in JSON. */
export interface LineRoute<Request, Message, Result extends Answered> {
  /**
   * A line as a request that is named `requestRef`, and how many bytes it takes on its way, at most.
   * @throws RuleError what is wrong with it
   */
  read(given: unknown, lineBytes: number, requestRef: string): { request: Request; wireBytes: number };
  /** Whether this request cannot go into one message with those. */
  goesApart?(request: Request, from: readonly Request[]): boolean;
  toMessage(requests: readonly Request[]): Message;
  exchange(messages: AsyncIterable<Message>, call: CallOptions): AsyncIterable<{ results: readonly Result[] }>;
  /** What became of a request, without its `request_ref`; undefined where `failure` tells it. */
  fromResult(result: Result): object | undefined;
  /** What the route calls a field of the contract. */
  restName(field: string): string;
  /** Of a line that was sent and not answered when the stream ended: what may have become of it, and what to do. */
  readonly unanswered: string;
}

export interface ExchangeSettings {
  maxMessageBytes: number;
  /** How long nothing of the request may arrive while it is waited for. */
  idleMs: number;
}

export interface ExchangeInput {
  body: Readable;
  budget: BodyBudget;
  requestId: string;
}

/**
 * One request of many lines, answered line by line while it is still being sent. Holds one message of each kind: the
 * request is not read while the service holds back, answers are not taken while the client does not read.
 */
export class NdjsonExchange<Request, Message, Result extends Answered> {
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
    private readonly route: LineRoute<Request, Message, Result>,
    private readonly settings: ExchangeSettings,
    private readonly input: ExchangeInput,
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
    for (const requestRef of this.unanswered.values()) {
      await this.tell({
        request_ref: requestRef,
        problem: this.problem(new RuleError(failure.reason, this.route.unanswered, failure.details)),
      });
    }
    if (this.unread) await this.tell({ problem: this.problem(this.unread.reason === 'CANCELLED' ? failure : this.unread) });
    this.answer.end();
  }

  /** Why the stream to the service ended; SERVICE_UNAVAILABLE where it ended as if all were well. */
  private async exchange(call: CallOptions): Promise<RuleError> {
    try {
      for await (const { results } of this.route.exchange(this.messages(), call)) await this.tellResults(results);
      return new RuleError('SERVICE_UNAVAILABLE');
    } catch (error) {
      return error instanceof RuleError ? error : unforeseen(error, this.input.requestId);
    }
  }

  private async *messages(): AsyncGenerator<Message, void, undefined> {
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
  private async *messagesOf(lines: Iterable<Line>): AsyncGenerator<Message, void, undefined> {
    let batch = emptyBatch<Request>();
    for (const line of lines) {
      this.heldBytes += line.heldBytes;
      const read = readLine(line, this.settings.maxMessageBytes, this.route);
      if ('refusal' in read) {
        this.giveBack(line.heldBytes);
        await this.tell({ request_ref: read.requestRef, problem: this.problem(read.refusal) });
        continue;
      }
      if (batch.requests.length > 0 && !this.fits(read, batch)) {
        yield* this.send(batch);
        batch = emptyBatch();
      }
      batch.requests.push(read.request);
      batch.wireBytes += read.wireBytes;
      batch.heldBytes += line.heldBytes;
      this.unanswered.set(String(line.number), read.requestRef);
    }
    if (batch.requests.length > 0) yield* this.send(batch);
  }

  private fits({ request, wireBytes }: { request: Request; wireBytes: number }, batch: Batch<Request>): boolean {
    if (batch.requests.length === MAX_REQUESTS || batch.wireBytes + wireBytes > this.maxRequestBytes) return false;
    return this.route.goesApart?.(request, batch.requests) !== true;
  }

  private async *send({ requests, heldBytes }: Batch<Request>): AsyncGenerator<Message, void, undefined> {
    while (this.unanswered.size > MAX_UNANSWERED && !this.ending.signal.aborted) {
      await new Promise<void>((resolve) => (this.answered = resolve));
    }
    this.underWay.push(heldBytes);
    yield this.route.toMessage(requests);
    // When another is asked for, the one before this has left.
    while (this.underWay.length > 1) this.giveBack(this.underWay.shift() ?? 0);
  }

  private giveBack(bytes: number): void {
    this.heldBytes -= bytes;
    this.input.budget.giveBack(bytes);
  }

  private async tellResults(results: readonly Result[]): Promise<void> {
    for (const result of results) {
      const requestRef = this.unanswered.get(result.requestRef);
      if (requestRef === undefined) continue;
      this.unanswered.delete(result.requestRef);
      const done = this.route.fromResult(result) ?? { problem: this.problem(fromRpcStatus(result.failure ?? NOT_TOLD)) };
      await this.tell({ request_ref: requestRef, ...done });
    }
    this.answered();
  }

  private problem(error: RuleError): Problem {
    return problemOf(error, this.input.requestId, (field) => this.route.restName(field));
  }

  /**
   * Resolves when the client has room for more; nothing is told to one that is gone. An answer without `request_ref` is
   * about the lines that were not read.
   */
  private async tell(answer: { request_ref?: string; problem?: Problem }): Promise<void> {
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

const NOT_TOLD = { code: 2, message: '', details: [] };

interface Batch<Request> {
  requests: Request[];
  wireBytes: number;
  /** Of the budget. */
  heldBytes: number;
}

const emptyBatch = <Request>(): Batch<Request> => ({ requests: [], wireBytes: 0, heldBytes: 0 });
