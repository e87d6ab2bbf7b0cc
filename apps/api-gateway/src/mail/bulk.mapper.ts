import type { MailClient } from '@sky-genesis/grpc';
import type { SubmitEmailRequest, SubmitEmailResult, SubmitEmailsRequest } from '@sky-genesis/proto';
import type { LineRoute } from '../http/ndjson.exchange';
import { validated } from '../http/request-validation.pipe';
import { toRestField } from '../problem/problem.mapper';
import { bulkLine } from './bulk.schema';
import { fromSubmitEmailResponse, toSubmitEmailRequest } from './mail.mapper';

/** More than any request takes for fields that are empty, and for lengths. */
const FRAMING_BYTES = 256;
const ATTACHMENT_FRAMING_BYTES = 16;

/** SubmitEmails as lines: each is an email as it is sent alone. */
export const emailLines = (mail: MailClient): LineRoute<SubmitEmailRequest, SubmitEmailsRequest, SubmitEmailResult> => ({
  read(given, lineBytes, requestRef) {
    const { idempotency_key, request_ref: _, ...email } = validated(bulkLine, given);
    // Text and bytes are shorter in protobuf than in JSON, but what a line leaves out has a length there, too.
    const wireBytes = lineBytes + FRAMING_BYTES + email.attachments.length * ATTACHMENT_FRAMING_BYTES;
    return { request: { ...toSubmitEmailRequest(email, idempotency_key ?? ''), requestRef }, wireBytes };
  },
  toMessage: (requests) => ({ requests: [...requests] }),
  exchange: (messages, call) => mail.submitEmails(messages, call),
  fromResult: ({ response }) => response && { ...fromSubmitEmailResponse(response), ...(response.replayed && { replayed: true }) },
  restName: (field) => (field === 'idempotency_key' ? field : toRestField(field)),
  unanswered:
    'The stream to the service ended before this line was answered: the email may be accepted or not. Repeat it with the same idempotency_key.',
});
