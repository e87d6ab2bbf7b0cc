import { setTimeout as delay } from 'node:timers/promises';
import type { Email, SubmitEmailsRequest, WatchEventsRequest } from '@sky-genesis/proto';
import { type EdgeClients, retryable } from './edge.clients';
import { bearer } from './mesh-system';
import { type CallCounts, RetryableError } from './retried.calls';

const BETWEEN_MS = 100;

/** Runs a stream until it is told to stop, again and again: it goes on from where it was. */
async function again(counts: CallCounts, what: string, signal: AbortSignal, once: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    counts.calls++;
    try {
      await once();
    } catch (error) {
      if (signal.aborted) return;
      const why = `${what}: ${(error as Error).message}`;
      if (!(error instanceof RetryableError)) {
        counts.failures.push(why);
        return;
      }
      counts.retry(why);
      counts.retriedCalls++;
    }
    await delay(BETWEEN_MS);
  }
}

/** Streams of mails and events. */
export class MailStreams {
  /** The cursors that were seen over gRPC, and over REST (SSE), in order. */
  readonly watched: number[] = [];
  readonly told: number[] = [];
  /** Mails of a stream that have no answer yet. */
  private pending: string[] = [];
  private count = 0;
  private id = 0;
  private readonly options = { authorization: bearer() };

  constructor(
    private readonly clients: EdgeClients,
    private readonly counts: CallCounts,
    private readonly accepted: Map<string, string>,
  ) {}

  run(signal: AbortSignal): Promise<unknown> {
    return Promise.all([
      again(this.counts, 'gRPC WatchEvents', signal, () => this.watch(signal)),
      again(this.counts, 'REST events (SSE)', signal, () => this.listen(signal)),
      again(this.counts, 'gRPC SubmitEmails', signal, () => this.submit(signal)),
    ]);
  }

  private async watch(signal: AbortSignal): Promise<void> {
    const request = { after: String(this.watched.at(-1) ?? 0) } as WatchEventsRequest;
    try {
      for await (const { events } of this.clients.mail.watchEvents(request, { ...this.options, signal }))
        this.watched.push(...events.map(({ cursor }) => Number(cursor)));
    } catch (error) {
      throw retryable(error);
    }
  }

  private async listen(signal: AbortSignal): Promise<void> {
    const headers = { ...this.options, accept: 'text/event-stream', 'last-event-id': String(this.told.at(-1) ?? 0) };
    const answer = await this.clients.open('GET', '/api/v1/events', headers);
    const stop = () => answer.destroy();
    signal.addEventListener('abort', stop);
    let text = '';
    try {
      if (answer.statusCode !== 200) throw new RetryableError(String(answer.statusCode));
      for await (const chunk of answer.setEncoding('utf8')) {
        const lines = (text + (chunk as string)).split('\n');
        text = lines.pop()!;
        for (const line of lines) this.read(line);
      }
    } catch (error) {
      if (!signal.aborted) throw new RetryableError((error as Error).message);
    } finally {
      signal.removeEventListener('abort', stop);
      answer.destroy();
    }
  }

  /** Of an email, as its id, event and data come in that order: an id alone, and an error, are none. */
  private read(line: string): void {
    if (line.startsWith('id: ')) this.id = Number(line.slice(4));
    else if (line.startsWith('event: email.')) this.told.push(this.id);
  }

  /** What was not answered is sent again by its key in the next stream. */
  private async submit(signal: AbortSignal): Promise<void> {
    const again = this.pending;
    const requestsOf = (subjects: string[]): SubmitEmailsRequest =>
      ({
        requests: subjects.map((subject) => ({
          email: { from: 'sender@example.com', to: ['recipient@example.com'], subject, body: subject } as Email,
          idempotencyKey: subject,
          requestRef: subject,
        })),
      }) as SubmitEmailsRequest;
    const pending = (this.pending = [...again]);
    const next = (): string => `stream${this.count++}`;
    async function* requests(): AsyncGenerator<SubmitEmailsRequest> {
      if (again.length > 0) yield requestsOf(again);
      while (!signal.aborted) {
        const subject = next();
        pending.push(subject);
        yield requestsOf([subject]);
        await delay(BETWEEN_MS * 2);
      }
    }
    try {
      for await (const { results } of this.clients.mail.submitEmails(requests(), this.options)) {
        for (const { requestRef, response, failure } of results) {
          if (failure?.code === 14) continue;
          if (!response) throw new Error(`${requestRef} was refused: ${failure?.message}`);
          this.accepted.set(requestRef, response.messageId);
          pending.splice(pending.indexOf(requestRef), 1);
        }
      }
    } catch (error) {
      throw retryable(error);
    }
  }

  /** How many of the streamed mails are still without an answer. */
  get unanswered(): number {
    return this.pending.length;
  }
}
