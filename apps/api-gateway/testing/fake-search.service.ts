import type { ServerDuplexStream } from '@grpc/grpc-js';
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
import { type Answer, FakeGrpcService } from './fake-grpc.service';

export type IndexStream = ServerDuplexStream<IndexDocumentsRequest, Partial<IndexDocumentsResponse>>;

/** Takes every document for a new one, and finds nothing. */
export class FakeSearchService extends FakeGrpcService {
  search: Answer<SearchRequest, SearchResponse> = () => ({ results: [], indexedThroughMs: '1640995200500' });
  indexDocument: Answer<IndexDocumentRequest, IndexDocumentResponse> = ({ document }) => ({ id: document?.id ?? '', status: 'created' });
  deleteDocument: Answer<DeleteDocumentRequest, DeleteDocumentResponse> = () => ({ deleted: true });
  /** Does all that comes, as it comes. */
  indexDocuments: (call: IndexStream) => void = (call) => {
    call.on('data', (message: IndexDocumentsRequest) => call.write(doneOf(message)));
    call.on('end', () => call.end());
  };

  constructor() {
    super('SearchService');
  }

  protected handlers() {
    return {
      Search: this.unary('search', () => this.search),
      IndexDocument: this.unary('indexDocument', () => this.indexDocument),
      DeleteDocument: this.unary('deleteDocument', () => this.deleteDocument),
      IndexDocuments: this.stream('indexDocuments', () => this.indexDocuments),
    };
  }
}

export const doneOf = ({ requests, deletions }: IndexDocumentsRequest): Partial<IndexDocumentsResponse> => ({
  results: [
    ...requests.map(({ requestRef, document }) => ({ requestRef, response: { id: document?.id ?? '', status: 'created' } })),
    ...deletions.map(({ requestRef, id }) => ({ requestRef, response: { id, status: 'deleted' } })),
  ],
});
