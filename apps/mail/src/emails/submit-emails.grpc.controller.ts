import type { Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import { Controller, Logger } from '@nestjs/common';
import { GrpcStreamCall } from '@nestjs/microservices';
import { callContext, InvalidArgumentError, OpenStreams, serveDuplex } from '@sky-genesis/grpc';
import type { SubmitEmailsRequest, SubmitEmailsResponse } from '@sky-genesis/proto';
import { type SubmitAnswer, SubmitEmails } from './submit-emails';
import { toSubmitEmailsResponse, toSubmitRequests } from './submit-emails.mapper';

/** MailService/SubmitEmails: translates a call into what SubmitEmails reads and writes. */
@Controller()
export class SubmitEmailsGrpcController {
  private readonly logger = new Logger(SubmitEmailsGrpcController.name);

  constructor(
    private readonly submitting: SubmitEmails,
    private readonly streams: OpenStreams,
  ) {}

  @GrpcStreamCall('MailService', 'SubmitEmails')
  submitEmails(call: ServerDuplexStream<SubmitEmailsRequest, SubmitEmailsResponse>): Promise<void> {
    const requestId = callContext.getStore()?.requestId;
    return serveDuplex(call, {
      streams: this.streams,
      toMessage: toSubmitRequests,
      toResponses: (answers: readonly SubmitAnswer[]) => [toSubmitEmailsResponse(answers)],
      run: async (stream, caller) => {
        refuseKeyOfAll(call.metadata);
        await this.submitting.run(stream, caller);
      },
      log: (err) => this.logger.error({ err, requestId }, 'SubmitEmails failed with an error not foreseen'),
    });
  }
}

/** A key in the call's metadata is every request's: all but the first would be refused, or be taken for the first. */
function refuseKeyOfAll(metadata: Metadata): void {
  if (metadata.get('idempotency-key').length === 0) return;
  throw new InvalidArgumentError([{ field: 'idempotency_key', description: 'belongs to each request of a stream, not to its metadata' }]);
}
