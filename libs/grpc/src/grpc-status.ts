import { Metadata, type ServerInterceptingCall, type ServiceError, status, type StatusObject } from '@grpc/grpc-js';
import { Any, BadRequest, ErrorInfo, RetryInfo } from 'nice-grpc-error-details';
import { Status } from 'nice-grpc-error-details/lib/proto/google/rpc/status';
import { type CodeName, defaultReason, type ErrorReason, errorReasons } from './error-reasons';
import { RuleError } from './rule-error';

/** What grpc-js takes for a status to send. */
type SentStatus = Parameters<ServerInterceptingCall['sendStatus']>[0];

const DETAILS = 'grpc-status-details-bin';
const DOMAIN = 'sky-genesis';
/** HTTP/2 peers bound the size of trailers (16 KiB and less): a request with 10,000 wrong fields gets the first ones. */
const MAX_VIOLATIONS = 32;
const MAX_MESSAGE_LENGTH = 1024;

/** Makes google.rpc.Status, with details, of whatever was thrown. What was not foreseen is INTERNAL without detail. */
export function toStatus(error: unknown): StatusObject {
  const known = error instanceof RuleError ? error : new RuleError('INTERNAL');
  const code = status[known.code];
  const message = truncate(known.message);
  const metadata = new Metadata();
  metadata.set(DETAILS, Buffer.from(Status.encode(Status.fromPartial({ code, message, details: detailsOf(known) })).finish()));
  return { code, details: message, metadata };
}

function detailsOf({ reason, details }: RuleError): Any[] {
  const found = [pack(ErrorInfo.$type, ErrorInfo.encode(ErrorInfo.fromPartial({ reason, domain: DOMAIN })))];
  if (details.violations) {
    const fieldViolations = details.violations
      .slice(0, MAX_VIOLATIONS)
      .map(({ field, description }) => ({ field: truncate(field, 256), description: truncate(description, 256) }));
    found.push(pack(BadRequest.$type, BadRequest.encode(BadRequest.fromPartial({ fieldViolations }))));
  }
  if (details.retryAfterSeconds !== undefined) {
    const seconds = Math.ceil(details.retryAfterSeconds);
    found.push(pack(RetryInfo.$type, RetryInfo.encode(RetryInfo.fromPartial({ retryDelay: { seconds } }))));
  }
  return found;
}

const pack = (type: string, message: { finish(): Uint8Array }): Any =>
  Any.fromPartial({ typeUrl: `type.googleapis.com/${type}`, value: message.finish() });

/** What a call to a service failed with, read back from google.rpc.Status: the rule's error as the service threw it. */
export function fromServiceError(error: ServiceError): RuleError {
  const bytes = error.metadata?.get(DETAILS)[0];
  const code = (status[error.code] ?? 'UNKNOWN') as CodeName;
  if (!(bytes instanceof Buffer)) return new RuleError(defaultReason(code));
  const { message, details } = Status.decode(bytes);
  let reason: ErrorReason = defaultReason(code);
  const more: { violations?: BadRequest['fieldViolations']; retryAfterSeconds?: number } = {};
  for (const { typeUrl, value } of details) {
    if (typeUrl.endsWith(ErrorInfo.$type)) reason = knownReason(ErrorInfo.decode(value).reason) ?? reason;
    else if (typeUrl.endsWith(BadRequest.$type)) more.violations = BadRequest.decode(value).fieldViolations;
    else if (typeUrl.endsWith(RetryInfo.$type)) more.retryAfterSeconds = RetryInfo.decode(value).retryDelay?.seconds;
  }
  return new RuleError(reason, message, more);
}

const knownReason = (reason: string): ErrorReason | undefined => (Object.hasOwn(errorReasons, reason) ? (reason as ErrorReason) : undefined);

/** Gives the statuses that grpc-js makes by itself the same details as ours, and a code that says whose fault it is. */
export function completeStatus(sent: SentStatus, maxMessageBytes: number): SentStatus {
  if (sent.code === status.OK || sent.metadata?.get(DETAILS).length) return sent;
  const text = sent.details ?? '';
  if (sent.code === status.RESOURCE_EXHAUSTED && text.includes('larger than max')) {
    return toStatus(new RuleError('MESSAGE_TOO_LARGE', `the message is larger than ${maxMessageBytes} bytes`));
  }
  if (sent.code === status.INTERNAL && text.startsWith('Error deserializing request')) {
    return toStatus(new RuleError('MALFORMED_REQUEST'));
  }
  const code = (status[sent.code] ?? 'UNKNOWN') as CodeName;
  const complete = toStatus(new RuleError(defaultReason(code)));
  return code === errorReasons[defaultReason(code)].code ? { ...complete, details: text || complete.details } : complete;
}

const truncate = (text: string, length = MAX_MESSAGE_LENGTH): string => (text.length <= length ? text : `${text.slice(0, length - 3)}...`);
