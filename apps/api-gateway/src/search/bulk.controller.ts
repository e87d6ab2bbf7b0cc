import { Controller, HttpCode, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { JwtAuthGuard, ScopeGuard } from '@sky-genesis/auth';
import { type CallOptions, SearchClient } from '@sky-genesis/grpc';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ForCall } from '../http/call-options.decorator';
import { NDJSON } from '../http/media-types.hook';
import { NdjsonRouteHandler } from '../http/ndjson-route.handler';
import { nothing } from '../mail/mail.schema';
import { RpcRoute } from '../openapi/rpc-route.decorator';
import { documentLines } from './bulk.mapper';
import { bulkAnswer, bulkLine } from './bulk.schema';

/** IndexDocuments in REST: as many documents as there are lines, in one request. */
@ApiTags('search')
@Controller('api/v1/search/documents')
@UseGuards(JwtAuthGuard, ScopeGuard)
export class DocumentBulkController {
  constructor(
    private readonly search: SearchClient,
    private readonly ndjson: NdjsonRouteHandler,
  ) {}

  @Post('bulk')
  @HttpCode(200)
  @RpcRoute('SearchService/IndexDocuments', {
    summary: 'Put and delete documents in bulk',
    description: `NDJSON both ways: each line is a document as \`POST /api/v1/search/documents\` takes it, or a deletion, \
\`{"delete": "<id>"}\`, and is answered by a line of its own, in the order in which they are done. A line that is wrong is answered with \
its \`problem\` and ends nothing else. Of two lines about one document that have no \`version\`, the later one counts.

The request may be as long as it likes, and take as long as it moves. Answers come while it is still being sent: read them meanwhile, \
for the request is read no faster than its answers are taken. Where the stream ends early, each line that was sent and not answered \
is answered with why: it may be carried out or not, and can be sent again. A last line without \`request_ref\` says that the request \
was not read to its end.`,
    errors: ['UNSUPPORTED_MEDIA_TYPE', 'TOO_MANY_STREAMS', 'SERVER_DRAINING', 'SEARCH_UNAVAILABLE'],
    streamedBody: 'ndjson',
  })
  @ApiConsumes(NDJSON)
  @ApiBody({ standardSchema: bulkLine, description: 'A document or a deletion a line.' } as never)
  @ApiProduces(NDJSON)
  @ApiResponse({ status: 200, description: 'An answer a line, for each line.', standardSchema: bulkAnswer })
  indexDocuments(
    @Req() request: FastifyRequest,
    @Query({ schema: nothing }) _query: unknown,
    @ForCall() call: CallOptions,
    @Res() reply: FastifyReply,
  ): void {
    this.ndjson.answer(documentLines(this.search), request, reply, call);
  }
}
