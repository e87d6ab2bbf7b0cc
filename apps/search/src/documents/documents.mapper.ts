import { toRpcStatus } from '@sky-genesis/grpc';
import type { FailedAnswer } from '@sky-genesis/grpc';
import type {
  DeleteDocumentRequest,
  Document,
  IndexDocumentRequest,
  IndexDocumentResult,
  IndexDocumentsRequest,
  IndexDocumentsResponse,
  SearchRequest,
  SearchResponse,
  SearchResult,
  Values,
} from '@sky-genesis/proto';
import type { Hit } from '../engines/search.engine';
import type { DeletionDraft, DocumentDraft } from './check-document';
import type { SearchQuery } from './check-search';
import type { IndexAnswer, IndexMessage, StreamRequest } from './index-stream';
import type { FoundDocuments } from './search-documents';

export const toSearchQuery = (request: SearchRequest): SearchQuery => ({
  query: request.query,
  filters: request.filters,
  limit: request.limit,
  offset: request.offset,
  pageToken: request.pageToken,
  facets: request.facets,
  sort: request.sort,
  waitForId: request.waitForId,
  kinds: request.kinds,
});

export const toSearchResponse = (found: FoundDocuments): SearchResponse => ({
  results: found.hits.map(toSearchResult),
  totalCount: found.total,
  queryTimeMs: found.queryTimeMs,
  nextPageToken: found.nextPageToken,
  facets: found.facets.map(({ field, values }) => ({
    field,
    values: values.map(({ value, count }) => ({ value, count: String(count) })),
  })),
  indexedThroughMs: String(found.indexedThroughMs),
  degraded: found.degraded !== undefined,
  degradedReason: found.degraded ?? '',
  totalCountIsLowerBound: found.totalIsLowerBound,
});

const toSearchResult = ({ id, title, content, url, score, highlights, attributes, timestamp, kind }: Hit): SearchResult => ({
  id,
  title,
  content,
  url,
  score,
  highlights,
  attributes: toValues(attributes),
  timestamp: String(timestamp),
  kind,
});

const toValues = (attributes: Readonly<Record<string, string[]>>): Record<string, Values> =>
  Object.fromEntries(Object.entries(attributes).map(([name, values]) => [name, { values }]));

export const toDocumentDraft = (document: Document | null | undefined): DocumentDraft | undefined =>
  document
    ? {
        id: document.id,
        title: document.title,
        content: document.content,
        url: document.url,
        attributes: Object.fromEntries(Object.entries(document.attributes).map(([name, { values }]) => [name, values])),
        timestamp: document.timestamp,
        version: document.version,
      }
    : undefined;

export const toDeletionDraft = ({ id, version }: DeleteDocumentRequest): DeletionDraft => ({ id, version });

export const toIndexMessage = ({ requests, deletions, source, checkpoint, throughMs }: IndexDocumentsRequest): IndexMessage => ({
  requests: [...requests.map(toStreamRequest), ...deletions.map(toStreamDeletion)],
  feed: source === '' && checkpoint === '' && throughMs === '0' ? undefined : { source, checkpoint, throughMs },
});

const toStreamRequest = ({ requestRef, tenant, document }: IndexDocumentRequest): StreamRequest => ({
  requestRef,
  tenant,
  document: toDocumentDraft(document),
});

const toStreamDeletion = (request: DeleteDocumentRequest): StreamRequest => ({
  requestRef: request.requestRef,
  tenant: request.tenant,
  deletion: toDeletionDraft(request),
});

/** A response has room for one source: results go with the first behind them. */
export function toIndexDocumentsResponses(answers: readonly (IndexAnswer | FailedAnswer)[]): IndexDocumentsResponse[] {
  const responses: IndexDocumentsResponse[] = [];
  let results: IndexDocumentResult[] = [];
  for (const answer of answers) {
    if ('source' in answer) {
      responses.push({ results, source: answer.source, checkpoint: answer.checkpoint });
      results = [];
    } else results.push(toResult(answer));
  }
  if (results.length > 0) responses.push({ results, source: '', checkpoint: '' });
  return responses;
}

const toResult = (answer: Exclude<IndexAnswer, { source: string }> | FailedAnswer): IndexDocumentResult =>
  'error' in answer
    ? { requestRef: answer.requestRef, failure: toRpcStatus(answer.error) }
    : { requestRef: answer.requestRef, response: { id: answer.id, status: answer.outcome } };
