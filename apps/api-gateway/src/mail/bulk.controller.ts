import { Controller, HttpCode, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { JwtAuthGuard, ScopeGuard } from '@sky-genesis/auth';
import { type CallOptions, MailClient } from '@sky-genesis/grpc';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ForCall } from '../http/call-options.decorator';
import { NDJSON } from '../http/media-types.hook';
import { NdjsonRouteHandler } from '../http/ndjson-route.handler';
import { RpcRoute } from '../openapi/rpc-route.decorator';
import { emailLines } from './bulk.mapper';
import { bulkAnswer, bulkLine } from './bulk.schema';
import { nothing } from './mail.schema';

/** SubmitEmails in REST: as many emails as there are lines, in one request. */
@ApiTags('mail')
@Controller('api/v1/mail')
@UseGuards(JwtAuthGuard, ScopeGuard)
export class MailBulkController {
  constructor(
    private readonly mail: MailClient,
    private readonly ndjson: NdjsonRouteHandler,
  ) {}

  @Post('bulk')
  @HttpCode(200)
  @RpcRoute('MailService/SubmitEmails', {
    summary: 'Send emails in bulk',
    description: `NDJSON both ways: each line is an email as \`POST /api/v1/mail/send\` takes it, and is answered by a line of its own, \
in the order in which they are decided. A line that is wrong is answered with its \`problem\` and ends nothing else.

The request may be as long as it likes, and take as long as it moves. Answers come while it is still being sent: read them meanwhile, \
for the request is read no faster than its answers are taken. Where the stream ends early, each line that was sent and not decided is \
answered with why; \`SERVICE_UNAVAILABLE\` there means that it may be accepted or not: repeat it with the same \`idempotency_key\`. \
A last line without \`request_ref\` says that the request was not read to its end.`,
    errors: ['UNSUPPORTED_MEDIA_TYPE', 'TOO_MANY_STREAMS', 'SERVER_DRAINING'],
    streamedBody: 'ndjson',
  })
  @ApiConsumes(NDJSON)
  @ApiBody({ standardSchema: bulkLine, description: 'An email a line.' } as never)
  @ApiProduces(NDJSON)
  @ApiResponse({ status: 200, description: 'An answer a line, for each line.', standardSchema: bulkAnswer })
  submitEmails(
    @Req() request: FastifyRequest,
    @Query({ schema: nothing }) _query: unknown,
    @ForCall() call: CallOptions,
    @Res() reply: FastifyReply,
  ): void {
    this.ndjson.answer(emailLines(this.mail), request, reply, call);
  }
}
