import { fromRpcStatus, RuleError, type SearchClient } from '@sky-genesis/grpc';
import type { DeleteDocumentRequest, IndexDocumentRequest, IndexDocumentsRequest, IndexDocumentsResponse } from '@sky-genesis/proto';
import { formatEmailId } from '../../emails/email-id';
import type { EmailChange, EmailDocument } from './email-document';

const SOURCE = 'mail';

/** What became of a change: created, updated, unchanged, deleted; or why it was not made. */
export type FeedAnswer = string | RuleError;

interface Waiting<T> {
  resolve(answer: T): void;
  reject(error: unknown): void;
}

/** One stream of IndexDocuments: what is sent is answered by its request_ref, what is claimed in order. */
export class SearchFeedStream {
  private readonly ending = new AbortController();
  private readonly outgoing: IndexDocumentsRequest[] = [];
  private readonly changes = new Map<string, Waiting<FeedAnswer>>();
  private readonly claims: Waiting<string>[] = [];
  private readonly reading: Promise<void>;
  private sent = 0;
  private closing = false;
  private failure: { error: unknown } | undefined;
  private wake: () => void = () => undefined;

  /** @param answerMs how long an answer may take: then the stream is given up */
  constructor(
    search: SearchClient,
    private readonly answerMs: number,
  ) {
    this.reading = this.read(search.indexDocuments(this.requests(), { signal: this.ending.signal }));
  }

  /** What is kept of this feed beside the documents; '': nothing. */
  ask(): Promise<string> {
    return this.claim('', 0);
  }

  /**
   * Resolves once all that was sent before can be found, and the claim is kept.
   * @throws RuleError as `send`
   */
  claim(checkpoint: string, throughMs: number): Promise<string> {
    const answer = new Promise<string>((resolve, reject) => this.claims.push({ resolve, reject }));
    return this.exchange({ requests: [], deletions: [], source: SOURCE, checkpoint, throughMs: String(throughMs) }, answer);
  }

  /**
   * Answers in the order of the changes.
   * @throws RuleError when the stream ended, however it did: then it is not known what was done
   */
  send(changes: readonly EmailChange[]): Promise<FeedAnswer[]> {
    const requests: IndexDocumentRequest[] = [];
    const deletions: DeleteDocumentRequest[] = [];
    const answers = changes.map(({ tenant, id, version, document }) => {
      const requestRef = String(++this.sent);
      if (document) requests.push({ requestRef, tenant, document: toDocument(document, version) });
      else deletions.push({ requestRef, tenant, id: formatEmailId(id), version: String(version) });
      return new Promise<FeedAnswer>((resolve, reject) => this.changes.set(requestRef, { resolve, reject }));
    });
    return this.exchange({ requests, deletions, source: '', checkpoint: '', throughMs: '0' }, Promise.all(answers));
  }

  /** Ends it; what is not answered fails. */
  async close(): Promise<void> {
    this.closing = true;
    this.wake();
    this.ending.abort(new RuleError('CANCELLED'));
    await this.reading;
  }

  private async exchange<T>(message: IndexDocumentsRequest, answer: Promise<T>): Promise<T> {
    if (this.failure) this.fail(this.failure.error);
    const timer = setTimeout(() => this.ending.abort(new RuleError('DEADLINE_EXCEEDED')), this.answerMs);
    this.outgoing.push(message);
    this.wake();
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }

  private async *requests(): AsyncGenerator<IndexDocumentsRequest, void, undefined> {
    while (!this.closing && !this.failure) {
      const next = this.outgoing.shift();
      if (next) yield next;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  private async read(responses: AsyncIterable<IndexDocumentsResponse>): Promise<void> {
    try {
      for await (const response of responses) this.take(response);
      this.fail(new RuleError('SERVICE_UNAVAILABLE'));
    } catch (error) {
      this.fail(error);
    }
  }

  private take({ results, source, checkpoint }: IndexDocumentsResponse): void {
    for (const { requestRef, response, failure } of results) {
      const waiting = this.changes.get(requestRef);
      this.changes.delete(requestRef);
      waiting?.resolve(failure ? fromRpcStatus(failure) : (response?.status ?? ''));
    }
    if (source === SOURCE) this.claims.shift()?.resolve(checkpoint);
  }

  private fail(error: unknown): void {
    this.failure ??= { error };
    for (const waiting of [...this.changes.values(), ...this.claims.splice(0)]) waiting.reject(error);
    this.changes.clear();
    this.wake();
  }
}

const toDocument = ({ id, title, content, url, attributes, timestamp }: EmailDocument, version: number) => ({
  id,
  title,
  content,
  url,
  attributes: Object.fromEntries(Object.entries(attributes).map(([name, values]) => [name, { values }])),
  timestamp: String(timestamp),
  version: String(version),
});
