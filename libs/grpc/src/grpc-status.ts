import { Metadata, type ServerInterceptingCall, type ServiceError, status, type StatusObject } from '@grpc/grpc-js';
import { Any, BadRequest, ErrorInfo, RetryInfo } from 'nice-grpc-error-details';
import { Status } from 'nice-grpc-error-details/lib/proto/google/rpc/status';
import { type CodeName, defaultReason, type ErrorReason, errorReasons } from './error-reasons';
import { messageTooLarge, unsentOrUnread } from './message-size';
import { type FieldViolation, RuleError, type RuleErrorDetails } from './rule-error';

/** What grpc-js takes for a status to send. */
export type SentStatus = Parameters<ServerInterceptingCall['sendStatus']>[0];

/** Trailer with google.rpc.Status. */
export const STATUS_DETAILS = 'grpc-status-details-bin';
const DOMAIN = 'sky-genesis';
/**
 * gRPC peers refuse trailers of more than 8 KiB: a request with 10,000 wrong fields gets the first ones. The message is
 * counted as it travels (percent-encoded), the violations as protobuf, which base64 then makes a third larger.
 */
const MAX_MESSAGE_BYTES = 1024;
const MAX_VIOLATIONS_BYTES = 3072;

/** Makes google.rpc.Status, with details, of whatever was thrown. What was not foreseen is INTERNAL without detail. */
export function toStatus(error: unknown): StatusObject {
  const known = error instanceof RuleError ? error : new RuleError('INTERNAL');
  const rpcStatus = toRpcStatus(known);
  const metadata = new Metadata();
  metadata.set(STATUS_DETAILS, Buffer.from(Status.encode(Status.fromPartial(rpcStatus)).finish()));
  return { code: rpcStatus.code, details: rpcStatus.message, metadata };
}

/** The same as google.rpc.Status, field by field: what stands in the contract's Failure. */
export function toRpcStatus(error: unknown): { code: number; message: string; details: Any[] } {
  const known = error instanceof RuleError ? error : new RuleError('INTERNAL');
  return { code: status[known.code], message: truncate(known.message, MAX_MESSAGE_BYTES), details: detailsOf(known) };
}

/** Reads a Failure of the contract back into the error that it was made of. */
export function fromRpcStatus(failure: {
  code: number;
  message: string;
  details: readonly { typeUrl: string; value: Uint8Array }[];
}): RuleError {
  const byCode = defaultReason(codeName(failure.code));
  try {
    return ruleErrorOf(failure, byCode);
  } catch {
    return new RuleError(byCode);
  }
}

function detailsOf({ reason, details }: RuleError): Any[] {
  const found = [
    pack(ErrorInfo.$type, ErrorInfo.encode(ErrorInfo.fromPartial({ reason, domain: DOMAIN, metadata: { ...details.facts } }))),
  ];
  if (details.violations) {
    const fieldViolations = firstViolations(details.violations);
    found.push(pack(BadRequest.$type, BadRequest.encode(BadRequest.fromPartial({ fieldViolations }))));
  }
  if (details.retryAfterSeconds !== undefined) {
    const seconds = Math.ceil(details.retryAfterSeconds);
    found.push(pack(RetryInfo.$type, RetryInfo.encode(RetryInfo.fromPartial({ retryDelay: { seconds } }))));
  }
  return found;
}

function firstViolations(violations: readonly FieldViolation[]): FieldViolation[] {
  const first: FieldViolation[] = [];
  let bytes = 0;
  for (const { field, description } of violations) {
    const violation = { field: truncate(field, 256), description: truncate(description, 256) };
    bytes += Buffer.byteLength(violation.field) + Buffer.byteLength(violation.description) + 8;
    if (bytes > MAX_VIOLATIONS_BYTES) break;
    first.push(violation);
  }
  return first;
}

const pack = (type: string, message: { finish(): Uint8Array }): Any =>
  Any.fromPartial({ typeUrl: `type.googleapis.com/${type}`, value: message.finish() });

/**
 * What a call to a service failed with, read back from google.rpc.Status: the rule's error as the service threw it.
 * Without readable details only the code counts, or it is grpc-js on this side, which found a message too large.
 */
export function fromServiceError(error: ServiceError): RuleError {
  const byCode = defaultReason(codeName(error.code));
  const bytes = error.metadata?.get(STATUS_DETAILS)[0];
  if (!(bytes instanceof Buffer)) return ofThisSide(error) ?? new RuleError(byCode);
  try {
    return fromDetails(bytes, byCode);
  } catch {
    return new RuleError(byCode);
  }
}

const ofThisSide = ({ code, details }: ServiceError): RuleError | undefined =>
  code === status.RESOURCE_EXHAUSTED ? unsentOrUnread(details ?? '') : undefined;

const fromDetails = (bytes: Buffer, byCode: ErrorReason): RuleError => ruleErrorOf(Status.decode(bytes), byCode);

function ruleErrorOf(
  { message, details }: { message: string; details: readonly { typeUrl: string; value: Uint8Array }[] },
  byCode: ErrorReason,
): RuleError {
  let reason = byCode;
  const more: RuleErrorDetails = {};
  for (const { typeUrl, value } of details) {
    if (typeUrl.endsWith(ErrorInfo.$type)) {
      const info = ErrorInfo.decode(value);
      reason = knownReason(info.reason) ?? reason;
      if (Object.keys(info.metadata).length > 0) more.facts = info.metadata;
    } else if (typeUrl.endsWith(BadRequest.$type)) more.violations = violationsIn(value);
    else if (typeUrl.endsWith(RetryInfo.$type)) more.retryAfterSeconds = RetryInfo.decode(value).retryDelay?.seconds;
  }
  return new RuleError(reason, message, more);
}

const violationsIn = (value: Uint8Array): FieldViolation[] =>
  BadRequest.decode(value).fieldViolations.map(({ field, description }) => ({ field, description }));

const knownReason = (reason: string): ErrorReason | undefined =>
  Object.hasOwn(errorReasons, reason) ? (reason as ErrorReason) : undefined;

/** What grpc-js says of a message in an encoding that it does not read; the protocol has the server tell those that it does. */
const UNKNOWN_ENCODING = 'Received message compressed with unsupported encoding';
const READ_ENCODINGS = 'identity,deflate,gzip';

/** What grpc-js tells as INTERNAL although the caller sent it: the beginnings of its texts. */
const CALLERS_FAULT = ['Error deserializing request', 'Failed to decompress message', 'Invalid grpc-timeout'];

/**
 * Gives the statuses that grpc-js makes by itself the same details as ours, and a code that says whose fault it is. A
 * code without a reason of its own (the health service's NOT_FOUND) goes out as it is.
 */
export function completeStatus(sent: SentStatus, maxMessageBytes: number): SentStatus {
  if (sent.code === status.OK || sent.metadata?.get(STATUS_DETAILS).length) return sent;
  const text = sent.details ?? '';
  const tooLarge = sent.code === status.RESOURCE_EXHAUSTED ? messageTooLarge(text, maxMessageBytes) : undefined;
  if (tooLarge) return toStatus(tooLarge);
  if (sent.code === status.INTERNAL && CALLERS_FAULT.some((beginning) => text.startsWith(beginning))) {
    return toStatus(new RuleError('MALFORMED_REQUEST'));
  }
  if (sent.code === status.UNKNOWN || sent.code === status.INTERNAL) return toStatus(new RuleError('INTERNAL'));
  const reason = defaultReason(codeName(sent.code));
  if (status[errorReasons[reason].code] !== sent.code) return sent;
  const complete = toStatus(new RuleError(reason, text || undefined));
  if (text.startsWith(UNKNOWN_ENCODING)) complete.metadata.set('grpc-accept-encoding', READ_ENCODINGS);
  return complete;
}

const codeName = (code: number | null | undefined) => (status[code ?? status.UNKNOWN] ?? 'UNKNOWN') as CodeName;

/** Cuts a text to so many bytes in percent-encoding. Half a surrogate pair would make grpc-js throw: it is replaced. */
function truncate(text: string, maxBytes: number): string {
  let short = '';
  let bytes = 0;
  for (const char of text.slice(0, maxBytes + 1).replace(/\p{Surrogate}/gu, '\uFFFD')) {
    bytes += encodeURI(char).length;
    if (bytes > maxBytes) return `${short}...`;
    short += char;
  }
  return short;
}
