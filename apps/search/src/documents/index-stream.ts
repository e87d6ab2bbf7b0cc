import { type AnsweredStream, type Answers, answerStream } from '@sky-genesis/grpc/answered-stream';
import type { Caller } from '@sky-genesis/grpc/caller';
import { InFlight } from '@sky-genesis/grpc/in-flight';
import { type FieldViolation, InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import { type ChangeOutcome, type DocumentChange, EngineUnavailableError, type SearchEngine } from '../engines/search.engine';
import type { DeletionDraft, DocumentDraft } from './check-document';
import type { IndexDocuments } from './index-documents';
import type { IndexedThrough } from './indexed-through';
import { searchUnavailable } from './search-unavailable';
import { sizeOf } from './write.queue';

/** Requests and deletions of one message, at most. */
export const MAX_REQUESTS = 1000;
/** Requests of one stream that are not decided, or whose answers its client has not taken, at most. */
export const MAX_IN_FLIGHT = 256;
/** What all streams of the process may have under way, and what a change counts at least: half of what may wait in WriteQueue. */
const MAX_UNDECIDED_BYTES = 16 * 1024 * 1024;
const LEAST_BYTES = 8 * 1024;
const MAX_SOURCE = 64;
const MAX_CHECKPOINT = 1024;

/** A change as its caller wrote it. */
export type StreamRequest = { requestRef: string; tenant: string } & (
  { document: DocumentDraft | undefined } | { deletion: DeletionDraft }
);

/** What a feed says, or asks where `checkpoint` is ''. int64 are decimal text. */
export interface SourceMessage {
  source: string;
  checkpoint: string;
  throughMs: string;
}

export interface IndexMessage {
  requests: readonly StreamRequest[];
  /** Undefined from everyone but the product's own feeds. */
  feed: SourceMessage | undefined;
}

/** What became of a change, or what is kept of a source; checkpoint '': nothing. */
export type IndexAnswer = { requestRef: string; id: string; outcome: ChangeOutcome } | { source: string; checkpoint: string };

export type IndexDocumentsStream = AnsweredStream<IndexMessage, IndexAnswer>;

/**
 * Indexes and deletes by the stream, as SubmitEmails accepts mails: each change goes into the group commit as it comes, and
 * is answered once, as `answerStream` has it. Changes that a stream leaves unanswered may be carried out or not, and may be
 * sent again.
 *
 * What a feed says of its source is kept once all that came before it on the stream is carried out and can be found. A
 * document that is refused for what it is does not hold that up: its feed has been told. One that could not be written for
 * now does: the stream ends, and the feed goes on from what is kept.
 */
export class IndexStream {
  private readonly undecided = new InFlight(MAX_UNDECIDED_BYTES);

  /** @param idleMs how long a stream may be open without a message while nothing of it is under way */
  constructor(
    private readonly documents: IndexDocuments,
    private readonly engine: SearchEngine,
    private readonly indexedThrough: IndexedThrough,
    private readonly idleMs: number,
  ) {}

  /**
   * Resolves once all that the client sent is answered.
   * @throws RuleError INVALID_ARGUMENT (a message that breaks its bounds), SERVICES_ONLY, SEARCH_UNAVAILABLE (a source's
   *   message could not be carried out), DEADLINE_EXCEEDED (idle), the reason of `ending`; all that was begun before is
   *   answered then, too
   */
  run(stream: IndexDocumentsStream, caller: Caller): Promise<void> {
    const limits = { maxInFlight: MAX_IN_FLIGHT, idleMs: this.idleMs, undecided: this.undecided };
    const missing = new MissingChanges();
    return answerStream(stream, limits, async ({ requests, feed }, answers: Answers<IndexAnswer>) => {
      checkMessage(requests, feed, caller);
      for (const request of requests) {
        await answers.begin(request.requestRef, () => this.startable(request, caller, missing, stream.gone));
      }
      if (feed) await answers.afterAll(() => this.answerFeed(feed, missing));
    });
  }

  private startable(request: StreamRequest, caller: Caller, missing: MissingChanges, gone: AbortSignal) {
    const change = this.changeOf(request, caller);
    const id = change.change === 'index' ? change.document.id : change.id;
    const run = async (): Promise<IndexAnswer> => {
      try {
        return { requestRef: request.requestRef, id, outcome: await this.documents.write(change, gone) };
      } catch (error) {
        missing.note(error);
        throw error;
      }
    };
    return { bytes: Math.max(LEAST_BYTES, sizeOf(change)), run };
  }

  private changeOf(request: StreamRequest, caller: Caller): DocumentChange {
    return 'deletion' in request
      ? this.documents.toDelete(request.deletion, request.tenant, caller)
      : this.documents.toIndex(request.document, request.tenant, caller);
  }

  private async answerFeed({ source, checkpoint, throughMs }: SourceMessage, missing: MissingChanges): Promise<IndexAnswer> {
    if (missing.some) throw searchUnavailable('a change before this message could not be carried out: nothing of the source is kept');
    try {
      if (checkpoint === '') {
        const kept = (await this.engine.checkpoints()).find((known) => known.source === source);
        return { source, checkpoint: kept?.checkpoint ?? '' };
      }
      await this.engine.publish();
      await this.engine.saveCheckpoint({ source, checkpoint, throughMs: Number(throughMs) });
      this.indexedThrough.forget();
      return { source, checkpoint };
    } catch (error) {
      throw error instanceof EngineUnavailableError ? searchUnavailable() : error;
    }
  }
}

/** Whether changes of a stream failed that are not at fault themselves: what a feed says then would not be true. */
class MissingChanges {
  some = false;

  note(error: unknown): void {
    if (!(error instanceof RuleError) || error.code === 'INVALID_ARGUMENT') return;
    this.some = true;
  }
}

/** A message with more ends the stream: to refuse each by itself would take as many answers as it may not ask for. */
function checkMessage(requests: readonly StreamRequest[], feed: SourceMessage | undefined, caller: Caller): void {
  const violations: FieldViolation[] = [];
  const report = (field: string, description: string) => violations.push({ field, description });
  if (requests.length > MAX_REQUESTS) report('requests', `must be at most ${MAX_REQUESTS} of one message, deletions included`);
  if (feed) {
    if (caller.service === undefined) throw new RuleError('SERVICES_ONLY');
    if (feed.source === '' || feed.source.length > MAX_SOURCE) report('source', `must be 1 to ${MAX_SOURCE} characters`);
    if (feed.checkpoint.length > MAX_CHECKPOINT) report('checkpoint', `must be at most ${MAX_CHECKPOINT} characters`);
    if (!/^\d{1,16}$/.test(feed.throughMs) || Number(feed.throughMs) > Number.MAX_SAFE_INTEGER) {
      report('through_ms', `must be unix milliseconds, 0 to ${Number.MAX_SAFE_INTEGER}`);
    }
  }
  if (violations.length > 0) throw new InvalidArgumentError(violations);
}
