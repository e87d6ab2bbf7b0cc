import { Body, Controller, Get, HttpCode, Param, Post, Query, Res, UseGuards } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import { JwtAuthGuard, ScopeGuard } from '@sky-genesis/auth';
import { type CallOptions, MailClient } from '@sky-genesis/grpc';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { ForCall, IdempotencyKey } from '../http/call-options.decorator';
import { RpcRoute } from '../openapi/rpc-route.decorator';
import {
  fromCancelEmailResponse,
  fromGetEmailResponse,
  fromListEmailsResponse,
  fromResolveEmailResponse,
  fromSubmitEmailResponse,
  toListEmailsRequest,
  toResolveEmailRequest,
  toSubmitEmailRequest,
} from './mail.mapper';
import * as schema from './mail.schema';

/** MailService in REST: each method is one RPC. */
@ApiTags('mail')
@Controller('api/v1/mail')
@UseGuards(JwtAuthGuard, ScopeGuard)
export class MailController {
  constructor(private readonly mail: MailClient) {}

  @Post('send')
  @HttpCode(202)
  @RpcRoute('MailService/SubmitEmail', {
    summary: 'Send an email',
    description: 'Answers once the email is durable; delivery follows, and `GET /api/v1/mail/{id}` tells of it.',
    errors: [
      'MALFORMED_REQUEST',
      'UNSUPPORTED_MEDIA_TYPE',
      'MESSAGE_TOO_LARGE',
      'SENDER_NOT_ALLOWED',
      'IDEMPOTENCY_KEY_REUSED',
      'QUEUE_FULL',
      'ACCEPT_UNKNOWN',
    ],
  })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description:
      'Makes it safe to ask again, for 24 h: the same key with the same email gives the first answer. 1 to 255 printable ASCII characters.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  })
  @ApiResponse({
    status: 202,
    description: 'The email is accepted.',
    standardSchema: schema.submitted,
    headers: {
      Location: { description: 'Where to ask for the email.', schema: { type: 'string' } },
      'Idempotency-Replayed': {
        description: '`true`: the answer belongs to an earlier request with this key.',
        schema: { type: 'string' },
      },
    },
  })
  async sendEmail(
    @Body({ schema: schema.sendEmailBody }) body: schema.SendEmailBody,
    @Query({ schema: schema.nothing }) _query: unknown,
    @IdempotencyKey() idempotencyKey: string,
    @ForCall() call: CallOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.output<typeof schema.submitted>> {
    const response = await this.mail.submitEmail(toSubmitEmailRequest(body, idempotencyKey), call);
    void reply.header('location', `/api/v1/mail/${response.messageId}`);
    if (response.replayed) void reply.header('idempotency-replayed', 'true');
    return fromSubmitEmailResponse(response);
  }

  @Get(':id')
  @RpcRoute('MailService/GetEmail', {
    summary: 'Read an email',
    description: 'The email as it was accepted, and what became of it for each recipient.',
    errors: ['EMAIL_NOT_FOUND'],
  })
  @ApiResponse({ status: 200, description: 'The email.', standardSchema: schema.email })
  async getEmail(
    @Param({ schema: schema.emailId }) { id }: z.output<typeof schema.emailId>,
    @Query({ schema: schema.nothing }) _query: unknown,
    @ForCall() call: CallOptions,
  ): Promise<z.output<typeof schema.email>> {
    return fromGetEmailResponse(await this.mail.getEmail({ id }, call));
  }

  @Get()
  @RpcRoute('MailService/ListEmails', {
    summary: 'List emails',
    description: 'Newest first, page by page. All that is given must hold.',
    errors: [],
  })
  @ApiResponse({ status: 200, description: 'A page of emails.', standardSchema: schema.emailList })
  async listEmails(
    @Query({ schema: schema.listEmailsQuery }) query: schema.ListEmailsQuery,
    @ForCall() call: CallOptions,
  ): Promise<z.output<typeof schema.emailList>> {
    return fromListEmailsResponse(await this.mail.listEmails(toListEmailsRequest(query), call));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @RpcRoute('MailService/CancelEmail', {
    summary: 'Cancel an email',
    description: 'Stops what has not been handed to a relay yet. An email that is canceled already stays so.',
    errors: ['MALFORMED_REQUEST', 'UNSUPPORTED_MEDIA_TYPE', 'MESSAGE_TOO_LARGE', 'EMAIL_NOT_FOUND', 'NOTHING_TO_CANCEL'],
  })
  @ApiBody({ required: false, description: 'Nothing, or an empty object.' })
  @ApiResponse({ status: 200, description: 'What could be stopped is stopped.', standardSchema: schema.canceled })
  async cancelEmail(
    @Param({ schema: schema.emailId }) { id }: z.output<typeof schema.emailId>,
    @Query({ schema: schema.nothing }) _query: unknown,
    @Body({ schema: schema.noBody }) _body: unknown,
    @ForCall() call: CallOptions,
  ): Promise<z.output<typeof schema.canceled>> {
    return fromCancelEmailResponse(await this.mail.cancelEmail({ id }, call));
  }

  @Post(':id/resolve')
  @HttpCode(200)
  @RpcRoute('MailService/ResolveEmail', {
    summary: 'Resolve an email that is uncertain',
    description: 'Settles recipients that are `uncertain`, by whoever found out what became of them.',
    errors: ['MALFORMED_REQUEST', 'UNSUPPORTED_MEDIA_TYPE', 'MESSAGE_TOO_LARGE', 'EMAIL_NOT_FOUND', 'NOTHING_TO_RESOLVE', 'EMAIL_BUSY'],
  })
  @ApiResponse({ status: 200, description: 'The status of the email now.', standardSchema: schema.resolved })
  async resolveEmail(
    @Param({ schema: schema.emailId }) { id }: z.output<typeof schema.emailId>,
    @Query({ schema: schema.nothing }) _query: unknown,
    @Body({ schema: schema.resolveEmailBody }) body: schema.ResolveEmailBody,
    @ForCall() call: CallOptions,
  ): Promise<z.output<typeof schema.resolved>> {
    return fromResolveEmailResponse(await this.mail.resolveEmail(toResolveEmailRequest(id, body), call));
  }
}
