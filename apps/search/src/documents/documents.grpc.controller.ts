import type { Metadata } from '@grpc/grpc-js';
import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { callContext, currentCaller, RuleExceptionFilter } from '@sky-genesis/grpc';
import type {
  DeleteDocumentRequest,
  DeleteDocumentResponse,
  IndexDocumentRequest,
  IndexDocumentResponse,
  SearchRequest,
  SearchResponse,
} from '@sky-genesis/proto';
import { toDeletionDraft, toDocumentDraft, toSearchQuery, toSearchResponse } from './documents.mapper';
import { IndexDocuments } from './index-documents';
import { SearchDocuments, type SearchCall } from './search-documents';
import { searchDurationSeconds, searchesTotal } from './search.metrics';

const UNBOUNDED = { deadline: Infinity, signal: new AbortController().signal };

/** SearchService on gRPC, but for its stream: translates, and decides nothing. */
@Controller()
@UseFilters(RuleExceptionFilter)
export class DocumentsGrpcController {
  constructor(
    private readonly searching: SearchDocuments,
    private readonly documents: IndexDocuments,
  ) {}

  @GrpcMethod('SearchService', 'Search')
  async search(request: SearchRequest, metadata: Metadata): Promise<SearchResponse> {
    try {
      const found = await this.searching.search(toSearchQuery(request), currentCaller(), searchCallOf(metadata));
      searchesTotal.inc({ outcome: found.degraded === undefined ? 'found' : 'degraded' });
      searchDurationSeconds.observe(found.queryTimeMs / 1000);
      return toSearchResponse(found);
    } catch (error) {
      searchesTotal.inc({ outcome: 'failed' });
      throw error;
    }
  }

  @GrpcMethod('SearchService', 'IndexDocument')
  async indexDocument({ document, tenant }: IndexDocumentRequest): Promise<IndexDocumentResponse> {
    const change = this.documents.toIndex(toDocumentDraft(document), tenant, currentCaller());
    const status = await this.documents.write(change, callContext.getStore()?.signal);
    return { id: document!.id, status };
  }

  @GrpcMethod('SearchService', 'DeleteDocument')
  async deleteDocument(request: DeleteDocumentRequest): Promise<DeleteDocumentResponse> {
    const change = this.documents.toDelete(toDeletionDraft(request), request.tenant, currentCaller());
    return { deleted: (await this.documents.write(change, callContext.getStore()?.signal)) === 'deleted' };
  }
}

function searchCallOf(metadata: Metadata): SearchCall {
  const { deadline, signal } = callContext.getStore() ?? UNBOUNDED;
  return { authorization: metadata.get('authorization')[0]?.toString(), deadline, signal };
}
