import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { type CodeName, type ErrorReason, InvalidArgumentError, MessageTooLargeError, RuleError } from '@sky-genesis/grpc';
import type { Problem } from './problem.schema';

/** The canonical table of google.rpc.Code to HTTP. */
const statusOfCode: Record<CodeName, number> = {
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
};

/** Has no phrase of its own in HTTP. */
const CHECKSUM_MISMATCH_STATUS = 460;

/** Where HTTP has a status that says more than the code's. */
const statusOfReason: Partial<Record<ErrorReason, number>> = {
  MESSAGE_TOO_LARGE: 413,
  // Asking again, or for another body, does not help: 429 and 413 would say so.
  ANSWER_TOO_LARGE: 500,
  METADATA_TOO_LARGE: 431,
  UNSUPPORTED_MEDIA_TYPE: 415,
  TOO_EARLY: 425,
  FILE_TOO_LARGE: 413,
  FILE_QUOTA_EXCEEDED: 413,
  FILE_IN_USE: 409,
  OFFSET_MISMATCH: 409,
  UNSUPPORTED_TUS_VERSION: 412,
  RANGE_NOT_SATISFIABLE: 416,
  // The number is the tus protocol's.
  CHECKSUM_MISMATCH: CHECKSUM_MISMATCH_STATUS,
  STORE_FULL: 507,
};

const MAX_ERRORS = 32;
const MAX_TEXT_LENGTH = 1024;
/** Has no phrase of its own in HTTP; the number is nginx's. */
const CLIENT_CLOSED_REQUEST = 'Client Closed Request';

export const httpStatusOf = ({ reason, code }: { reason: ErrorReason; code: CodeName }): number =>
  statusOfReason[reason] ?? statusOfCode[code];

export const titleOf = (status: number): string =>
  STATUS_CODES[status] ?? (status === CHECKSUM_MISMATCH_STATUS ? 'Checksum Mismatch' : CLIENT_CLOSED_REQUEST);

/** An error of a rule as REST tells it; `restName` is what REST calls a field of the contract. */
export function problemOf(error: RuleError, requestId: string, restName = toRestField): Problem {
  const status = httpStatusOf(error);
  // What this app found itself it has named as REST does; what a service found comes back as a RuleError.
  const named = error instanceof InvalidArgumentError ? (field: string) => field : restName;
  const errors = error.details.violations?.slice(0, MAX_ERRORS).map(({ field, description }) => ({
    field: truncate(named(field)),
    message: truncate(description),
  }));
  // The message of an error with fields names them as the contract does, which is not how REST names them.
  const detail = errors?.length ? errors.map(({ field, message }) => `${field}: ${message}`).join('; ') : error.message;
  return {
    status,
    title: titleOf(status),
    ...(error.code !== 'INTERNAL' && { detail: truncate(detail) }),
    code: error.reason,
    ...(errors?.length && { errors }),
    ...(error.details.facts && { facts: error.details.facts }),
    request_id: requestId,
  };
}

/** `email.to[0]` in the contract is `to[0]` in REST, where an email and its options are one flat object. */
export function toRestField(field: string): string {
  if (field === 'idempotency_key') return 'Idempotency-Key';
  if (field === 'email' || field === 'options') return 'body';
  return field.replace(/^(email|options)\./, '');
}

/**
 * Whatever was thrown on the way of a request, as an error of a rule. Undefined for what nobody foresaw.
 * `maxBodyBytes`: the limit to name when the body is over it; `contentLength`: how large the client said that it is.
 */
export function knownErrorOf(error: unknown, maxBodyBytes: number, contentLength?: number): RuleError | undefined {
  if (error instanceof RuleError) return error;
  // Nest wraps what Fastify refuses; it comes bare where no hook has run.
  const fastifyCode = fastifyCodeOf(error instanceof HttpException ? error.cause : error);
  switch (fastifyCode) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new MessageTooLargeError('the body', maxBodyBytes, contentLength);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new RuleError('UNSUPPORTED_MEDIA_TYPE');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new RuleError('ROUTE_NOT_FOUND');
    case 'FST_ERR_BAD_URL':
      return new RuleError('MALFORMED_REQUEST', 'the path is not a valid URL path');
    default:
      return knownHttpError(error);
  }
}

function knownHttpError(error: unknown): RuleError | undefined {
  if (!(error instanceof HttpException)) return undefined;
  const status = error.getStatus();
  if (status === 401) return new RuleError('UNAUTHENTICATED');
  if (status === 404) return new RuleError('ROUTE_NOT_FOUND');
  return status < 500 ? new RuleError('MALFORMED_REQUEST') : undefined;
}

const fastifyCodeOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && code.startsWith('FST_') ? code : undefined;
};

const truncate = (text: string): string => (text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH - 3)}...`);
