import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { JwtAuthGuard, ScopeGuard } from '@sky-genesis/auth';
import { type CallOptions, SearchClient } from '@sky-genesis/grpc';
import type { z } from 'zod';
import { ForCall } from '../http/call-options.decorator';
import { RpcRoute } from '../openapi/rpc-route.decorator';
import { fromSearchResponse, toSearchParameter, toSearchRequest } from './search.mapper';
import { searchAnswer, type SearchQuery, searchQuery } from './search.schema';

/** Search in REST. */
@ApiTags('search')
@Controller('api/v1/search')
@UseGuards(JwtAuthGuard, ScopeGuard)
export class SearchController {
  constructor(private readonly client: SearchClient) {}

  @Get()
  @RpcRoute('SearchService/Search', {
    summary: 'Find emails and documents',
    description: `Everything that your tenant has and your token may see: documents, and emails with the scope \`mail.read\`, too.

An answer says how fresh it is (\`indexed_through_ms\`), and whether it may be incomplete (\`degraded\`). It is never empty because \
something is down: that is a 503, whose \`Retry-After\` says when to ask again. To find what was just sent or put, name it in \
\`wait_for_id\`; where that does not become true in time, the answer is a 504, \`NOT_FINDABLE_YET\`.`,
    errors: ['PAGE_TOKEN_EXPIRED', 'SEARCH_UNAVAILABLE', 'NOT_FINDABLE_YET'],
    restName: toSearchParameter,
  })
  @ApiResponse({ status: 200, description: 'What was found.', standardSchema: searchAnswer })
  async search(@Query({ schema: searchQuery }) query: SearchQuery, @ForCall() call: CallOptions): Promise<z.output<typeof searchAnswer>> {
    return fromSearchResponse(await this.client.search(toSearchRequest(query), call));
  }
}
