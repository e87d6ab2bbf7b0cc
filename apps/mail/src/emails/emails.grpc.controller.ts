import type { Metadata } from '@grpc/grpc-js';
import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { callContext, currentCaller, InvalidArgumentError, RuleExceptionFilter } from '@sky-genesis/grpc';
import type {
  CancelEmailRequest,
  CancelEmailResponse,
  GetEmailRequest,
  GetEmailResponse,
  ListEmailsRequest,
  ListEmailsResponse,
  ResolveEmailRequest,
  ResolveEmailResponse,
  SendEmailRequest,
  SendEmailResponse,
  SubmitEmailRequest,
  SubmitEmailResponse,
} from '@sky-genesis/proto';
import { AcceptEmail } from './accept-email';
import { CancelEmail } from './cancel-email';
import { emailNotFound, parseEmailId } from './email-id';
import { EmailStore } from './email.store';
import { toCancelEmailResponse, toDraft, toGetEmailResponse, toListEmailsResponse, toSubmitEmailResponse } from './emails.mapper';
import { ListEmails } from './list-emails';
import { ResolveEmail } from './resolve-email';

/** MailService on gRPC: translates, and decides nothing. */
@Controller()
@UseFilters(RuleExceptionFilter)
export class EmailsGrpcController {
  constructor(
    private readonly acceptEmail: AcceptEmail,
    private readonly cancelEmails: CancelEmail,
    private readonly resolveEmails: ResolveEmail,
    private readonly listedEmails: ListEmails,
    private readonly store: EmailStore,
  ) {}

  @GrpcMethod('MailService', 'SendEmail')
  async sendEmail(request: SendEmailRequest, metadata: Metadata): Promise<SendEmailResponse> {
    const { messageId, status, timestamp } = await this.submit({ email: request.email, options: undefined, idempotencyKey: '' }, metadata);
    return { messageId, status, timestamp };
  }

  @GrpcMethod('MailService', 'SubmitEmail')
  submitEmail(request: SubmitEmailRequest, metadata: Metadata): Promise<SubmitEmailResponse> {
    return this.submit(request, metadata);
  }

  @GrpcMethod('MailService', 'GetEmail')
  async getEmail({ id }: GetEmailRequest): Promise<GetEmailResponse> {
    const stored = await this.store.find(currentCaller().tenant, parseEmailId(id));
    if (!stored) throw emailNotFound();
    return toGetEmailResponse(stored);
  }

  @GrpcMethod('MailService', 'ListEmails')
  async listEmails(request: ListEmailsRequest): Promise<ListEmailsResponse> {
    const { emails, nextPageToken } = await this.listedEmails.list(currentCaller().tenant, request);
    return toListEmailsResponse(emails, nextPageToken);
  }

  @GrpcMethod('MailService', 'CancelEmail')
  async cancelEmail({ id }: CancelEmailRequest): Promise<CancelEmailResponse> {
    return toCancelEmailResponse(await this.cancelEmails.cancel(currentCaller().tenant, parseEmailId(id)));
  }

  @GrpcMethod('MailService', 'ResolveEmail')
  async resolveEmail({ id, ...resolution }: ResolveEmailRequest): Promise<ResolveEmailResponse> {
    return { status: await this.resolveEmails.resolve(currentCaller().tenant, parseEmailId(id), resolution) };
  }

  private async submit(request: Omit<SubmitEmailRequest, 'requestRef'>, metadata: Metadata): Promise<SubmitEmailResponse> {
    const key = idempotencyKey(request.idempotencyKey, metadata);
    const draft = toDraft(request.email, request.options);
    return toSubmitEmailResponse(await this.acceptEmail.accept(draft, key, currentCaller(), callContext.getStore()?.signal));
  }
}

/** The field or the metadata `idempotency-key`; both, and different, is a mistake that must not pass. */
function idempotencyKey(field: string, metadata: Metadata): string {
  const given = new Set([field, ...metadata.get('idempotency-key').map(String)].filter((key) => key !== ''));
  if (given.size > 1) {
    throw new InvalidArgumentError([{ field: 'idempotency_key', description: 'differs from the metadata idempotency-key' }]);
  }
  return [...given][0] ?? '';
}
