import { Body, Controller, Delete, HttpCode, Param, Post, Put, Query, Res, UseGuards } from '@nestjs/common';
import { ApiBody, ApiResponse, ApiTags } from '@nestjs/swagger';
import { JwtAuthGuard, ScopeGuard } from '@sky-genesis/auth';
import { type CallOptions, type ErrorReason, SearchClient } from '@sky-genesis/grpc';
import type { IndexDocumentRequest } from '@sky-genesis/proto';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { ForCall } from '../http/call-options.decorator';
import { noBody, nothing } from '../mail/mail.schema';
import { RpcRoute } from '../openapi/rpc-route.decorator';
import {
  fromDeleteDocumentResponse,
  fromIndexDocumentResponse,
  toDeleteDocumentRequest,
  toDocumentField,
  toIndexDocumentRequest,
  toPutRequest,
} from './document.mapper';
import * as schema from './document.schema';

const BODY_ERRORS: readonly ErrorReason[] = ['MALFORMED_REQUEST', 'UNSUPPORTED_MEDIA_TYPE', 'MESSAGE_TOO_LARGE'];

const CREATED = {
  status: 201,
  description: 'The document was not there before.',
  standardSchema: schema.indexed,
  headers: { Location: { description: 'Where it can be put again and deleted.', schema: { type: 'string' } } },
} as const;
const REPLACED = {
  status: 200,
  description: 'It took the place of the one that was there, or that one stays: see `status`.',
  standardSchema: schema.indexed,
};
const ID_IN_PATH =
  'The id is percent-encoded in the path. Paths cannot end in `.` or `..`: a document of such an id goes by `POST` or in bulk.';

/** Documents in REST: each method is one RPC. */
@ApiTags('search')
@Controller('api/v1/search/documents')
@UseGuards(JwtAuthGuard, ScopeGuard)
export class DocumentsController {
  constructor(private readonly search: SearchClient) {}

  @Put(':id')
  @RpcRoute('SearchService/IndexDocument', {
    summary: 'Put a document',
    description: `Adds the document, or puts it in place of the one with this id. It is durable then, and can be found within a second: \
\`wait_for_id\` of a search waits for that. ${ID_IN_PATH}`,
    errors: [...BODY_ERRORS, 'SEARCH_UNAVAILABLE'],
    restName: toDocumentField,
  })
  @ApiResponse(CREATED)
  @ApiResponse(REPLACED)
  putDocument(
    @Param({ schema: schema.documentId }) { id }: z.output<typeof schema.documentId>,
    @Query({ schema: nothing }) _query: unknown,
    @Body({ schema: schema.documentToPut }) body: schema.DocumentToPut,
    @ForCall() call: CallOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.output<typeof schema.indexed>> {
    return this.index(toPutRequest(id, body), call, reply);
  }

  @Post()
  @RpcRoute('SearchService/IndexDocument', {
    summary: 'Put a document whose id is in the body',
    description: 'As `PUT /api/v1/search/documents/{id}`.',
    errors: [...BODY_ERRORS, 'SEARCH_UNAVAILABLE'],
    restName: toDocumentField,
  })
  @ApiResponse(CREATED)
  @ApiResponse(REPLACED)
  indexDocument(
    @Query({ schema: nothing }) _query: unknown,
    @Body({ schema: schema.documentToIndex }) body: schema.DocumentToIndex,
    @ForCall() call: CallOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.output<typeof schema.indexed>> {
    return this.index(toIndexDocumentRequest(body), call, reply);
  }

  @Delete(':id')
  @HttpCode(200)
  @RpcRoute('SearchService/DeleteDocument', {
    summary: 'Delete a document',
    description: `One that is not there is no error: it is answered with \`"deleted": false\`. ${ID_IN_PATH}`,
    errors: [...BODY_ERRORS, 'SEARCH_UNAVAILABLE'],
    restName: toDocumentField,
  })
  @ApiBody({ required: false, description: 'Nothing, or an empty object.' })
  @ApiResponse({ status: 200, description: 'It is not there any more.', standardSchema: schema.deleted })
  async deleteDocument(
    @Param({ schema: schema.documentId }) { id }: z.output<typeof schema.documentId>,
    @Query({ schema: schema.deletionQuery }) query: schema.DeletionQuery,
    @Body({ schema: noBody }) _body: unknown,
    @ForCall() call: CallOptions,
  ): Promise<z.output<typeof schema.deleted>> {
    return fromDeleteDocumentResponse(await this.search.deleteDocument(toDeleteDocumentRequest(id, query), call));
  }

  private async index(request: IndexDocumentRequest, call: CallOptions, reply: FastifyReply): Promise<z.output<typeof schema.indexed>> {
    const response = await this.search.indexDocument(request, call);
    if (response.status !== 'created') void reply.status(200);
    else void reply.status(201).header('location', `/api/v1/search/documents/${encodeURIComponent(response.id)}`);
    return fromIndexDocumentResponse(response);
  }
}
