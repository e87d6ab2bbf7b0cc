import type {
  DeleteDocumentRequest,
  DeleteDocumentResponse,
  IndexDocumentRequest,
  IndexDocumentResponse,
  IndexDocumentsRequest,
  IndexDocumentsResponse,
  SearchRequest,
  SearchResponse,
} from '@sky-genesis/proto';
import type { CallOptions } from './grpc-client';
import type { StreamOptions } from './grpc-stream.client';
import type { ServiceChannel } from './service.channel';

/** SearchService as seen by its callers: the only place where they meet. */
export class SearchClient {
  constructor(private readonly channel: ServiceChannel) {}

  search(request: SearchRequest, options: CallOptions): Promise<SearchResponse> {
    return this.channel.call('search', request, options);
  }

  indexDocument(request: IndexDocumentRequest, options: CallOptions): Promise<IndexDocumentResponse> {
    return this.channel.call('indexDocument', request, options);
  }

  deleteDocument(request: DeleteDocumentRequest, options: CallOptions): Promise<DeleteDocumentResponse> {
    return this.channel.call('deleteDocument', request, options);
  }

  /** Begins with the first `next()`. As `exchange`. */
  indexDocuments(
    requests: AsyncIterable<IndexDocumentsRequest>,
    options: StreamOptions,
  ): AsyncGenerator<IndexDocumentsResponse, void, undefined> {
    return this.channel.exchange('indexDocuments', requests, options);
  }

  /** Whether SearchService says that it is SERVING (grpc.health.v1). */
  isServing(timeoutMs: number): Promise<boolean> {
    return this.channel.isServing(timeoutMs);
  }
}
