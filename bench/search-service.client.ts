import { type ClientDuplexStream, credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  type IndexDocumentsRequest,
  type IndexDocumentsResponse,
  loadPackage,
  type SearchRequest,
  type SearchResponse,
} from '@sky-genesis/proto';

interface SearchStub {
  search(
    request: Partial<SearchRequest>,
    metadata: Metadata,
    options: object,
    done: (error: ServiceError | null, answer?: SearchResponse) => void,
  ): void;
  indexDocuments(metadata: Metadata): ClientDuplexStream<IndexDocumentsRequest, IndexDocumentsResponse>;
  close(): void;
}

const DEADLINE_MS = 60_000;

/** SearchService on one channel, as any caller has it. */
export class SearchServiceClient {
  private readonly stub: SearchStub;

  constructor(address: string) {
    const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
      sky_genesis: { SearchService: new (address: string, secure: unknown, options: object) => SearchStub };
    };
    this.stub = new contract.SearchService(address, credentials.createInsecure(), { 'grpc.enable_channelz': 0 });
  }

  search(token: string, request: Partial<SearchRequest>): Promise<SearchResponse> {
    return new Promise((resolve, reject) => {
      this.stub.search(request, metadataOf(token), { deadline: Date.now() + DEADLINE_MS }, (error, answer) =>
        error || !answer ? reject(error ?? new Error('no answer')) : resolve(answer),
      );
    });
  }

  indexDocuments(token: string): ClientDuplexStream<IndexDocumentsRequest, IndexDocumentsResponse> {
    return this.stub.indexDocuments(metadataOf(token));
  }

  close(): void {
    this.stub.close();
  }
}

function metadataOf(token: string): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}
