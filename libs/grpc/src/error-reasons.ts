/** The names of google.rpc.Code that this product answers with. */
export type CodeName =
  | 'CANCELLED'
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS'
  | 'UNAUTHENTICATED';

/**
 * Every error that a caller can meet: its stable reason (ErrorInfo.reason on gRPC, `code` on REST), its gRPC code and
 * what it means. A reason once published keeps its meaning.
 */
export const errorReasons = {
  INVALID_ARGUMENT: { code: 'INVALID_ARGUMENT', meaning: 'Fields of the request are wrong; each is named.' },
  MALFORMED_REQUEST: { code: 'INVALID_ARGUMENT', meaning: 'The request could not be read: not JSON, or not this message.' },
  UNSUPPORTED_MEDIA_TYPE: {
    code: 'INVALID_ARGUMENT',
    meaning: 'The body is of a media type that the route does not take.',
  },
  UNAUTHENTICATED: { code: 'UNAUTHENTICATED', meaning: 'The bearer token is missing, expired or not valid here.' },
  SCOPE_MISSING: { code: 'PERMISSION_DENIED', meaning: 'The token lacks the scope that this call needs.' },
  SENDER_NOT_ALLOWED: { code: 'PERMISSION_DENIED', meaning: 'The token does not allow this address in `from`.' },
  ROUTE_NOT_FOUND: { code: 'NOT_FOUND', meaning: 'There is no such route.' },
  SERVICES_ONLY: { code: 'PERMISSION_DENIED', meaning: "`tenant` and `source` are for the product's own services." },
  EMAIL_NOT_FOUND: { code: 'NOT_FOUND', meaning: 'The tenant has no email with this id.' },
  PEER_NOT_ALLOWED: {
    code: 'PERMISSION_DENIED',
    meaning: 'The client certificate does not allow this call, or is not that of the service.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    code: 'ALREADY_EXISTS',
    meaning: 'The idempotency key was used within 24 h for an email with other content.',
  },
  NOTHING_TO_CANCEL: {
    code: 'FAILED_PRECONDITION',
    meaning: 'Every recipient has been handed over, is being handed over, or has reached a final state.',
  },
  NOTHING_TO_RESOLVE: { code: 'FAILED_PRECONDITION', meaning: 'No recipient that is asked about is uncertain.' },
  EMAIL_BUSY: { code: 'ABORTED', meaning: 'The email is being handed over right now. Ask again in a moment.' },
  CURSOR_OUT_OF_RANGE: { code: 'OUT_OF_RANGE', meaning: 'The events after this cursor are no longer kept; the first kept is named.' },
  TOO_MANY_STREAMS: { code: 'RESOURCE_EXHAUSTED', meaning: 'The tenant has as many open streams as it may have.' },
  MESSAGE_TOO_LARGE: { code: 'RESOURCE_EXHAUSTED', meaning: 'The request is larger than the limit that is named.' },
  ANSWER_TOO_LARGE: { code: 'RESOURCE_EXHAUSTED', meaning: 'The answer of a service is larger than the limit that is named.' },
  METADATA_TOO_LARGE: { code: 'RESOURCE_EXHAUSTED', meaning: 'The request headers are larger than the limit.' },
  QUEUE_FULL: {
    code: 'RESOURCE_EXHAUSTED',
    meaning: 'The tenant has as many undelivered emails as it may have. Try again when some are delivered.',
  },
  TOO_EARLY: {
    code: 'UNAVAILABLE',
    meaning: 'The request came in early data (0-RTT), which can be replayed. Send it again once the handshake is done.',
  },
  RATE_LIMITED: { code: 'RESOURCE_EXHAUSTED', meaning: 'Too many requests from this address, or with this token.' },
  OVERLOADED: { code: 'UNAVAILABLE', meaning: 'The server has more work than it can hold. Nothing was accepted.' },
  DATABASE_UNAVAILABLE: { code: 'UNAVAILABLE', meaning: 'The database cannot be reached. Nothing was accepted.' },
  ACCEPT_UNKNOWN: {
    code: 'UNAVAILABLE',
    meaning:
      'The connection to the database ended while the email was being committed: it may be accepted or not. Asking again with the same idempotency key finds out.',
  },
  CHANGE_UNKNOWN: {
    code: 'UNAVAILABLE',
    meaning: 'The connection to the database ended while the change was being committed: it may be made or not. Reading it finds out.',
  },
  SEARCH_UNAVAILABLE: {
    code: 'UNAVAILABLE',
    meaning: 'The search engine cannot be reached, and this cannot be answered without it. What was to be indexed may be sent again.',
  },
  FILE_NOT_FOUND: { code: 'NOT_FOUND', meaning: 'The tenant has no file or upload with this id.' },
  ATTACHMENT_NOT_FOUND: { code: 'NOT_FOUND', meaning: 'The email has no attachment with this number.' },
  FILE_IN_USE: { code: 'FAILED_PRECONDITION', meaning: 'An email that is not yet sent refers to the file.' },
  FILE_TOO_LARGE: { code: 'RESOURCE_EXHAUSTED', meaning: 'The file is larger than the limit that is named.' },
  FILE_QUOTA_EXCEEDED: { code: 'RESOURCE_EXHAUSTED', meaning: 'The tenant has as many files or uploads as it may have. Delete some.' },
  UPLOAD_BUSY: { code: 'ABORTED', meaning: 'Another stream writes to this upload.' },
  UPLOAD_COMPLETE: { code: 'ALREADY_EXISTS', meaning: 'The upload is complete: it takes no more bytes.' },
  UPLOAD_INCOMPLETE: {
    code: 'FAILED_PRECONDITION',
    meaning: 'The stream ended without its last chunk. What arrived is kept; `received` says up to where.',
  },
  OFFSET_MISMATCH: { code: 'FAILED_PRECONDITION', meaning: 'The bytes do not begin where those before them ended.' },
  SIZE_MISMATCH: { code: 'INVALID_ARGUMENT', meaning: 'More or fewer bytes arrived than were announced. The upload is dropped.' },
  DIGEST_MISMATCH: { code: 'INVALID_ARGUMENT', meaning: 'The hash of what arrived is not the one that was given. The upload is dropped.' },
  CHECKSUM_MISMATCH: {
    code: 'INVALID_ARGUMENT',
    meaning: 'The checksum of the piece is not the one that was given. The piece is dropped.',
  },
  UNSUPPORTED_TUS_VERSION: { code: 'FAILED_PRECONDITION', meaning: 'The header Tus-Resumable must be 1.0.0.' },
  RANGE_NOT_SATISFIABLE: { code: 'OUT_OF_RANGE', meaning: 'The range begins beyond the end.' },
  STORE_FULL: { code: 'RESOURCE_EXHAUSTED', meaning: 'The store of files has no room left. What arrived before is kept.' },
  STORE_UNAVAILABLE: { code: 'UNAVAILABLE', meaning: 'The store of files cannot be reached.' },
  CONTENT_LOST: { code: 'DATA_LOSS', meaning: 'The store no longer has the bytes of this file.' },
  SERVER_DRAINING: { code: 'UNAVAILABLE', meaning: 'This instance is being stopped. Open the stream anew, and go on from where it was.' },
  SERVICE_UNAVAILABLE: { code: 'UNAVAILABLE', meaning: 'A service behind the gateway cannot be reached.' },
  DEADLINE_EXCEEDED: { code: 'DEADLINE_EXCEEDED', meaning: 'The answer did not come within the time allowed.' },
  NOT_FINDABLE_YET: { code: 'DEADLINE_EXCEEDED', meaning: 'The document of `wait_for_id` could not be found within the time allowed.' },
  PAGE_TOKEN_EXPIRED: { code: 'INVALID_ARGUMENT', meaning: 'The `page_token` is too old. Begin the search anew.' },
  CANCELLED: { code: 'CANCELLED', meaning: 'The caller went away.' },
  UNIMPLEMENTED: { code: 'UNIMPLEMENTED', meaning: 'This version of the service does not have this call.' },
  INTERNAL: { code: 'INTERNAL', meaning: 'A defect of the server, which is logged under the request id.' },
} as const satisfies Record<string, { code: CodeName; meaning: string }>;

export type ErrorReason = keyof typeof errorReasons;

/** What a bare code means, where no reason came with it. */
export function defaultReason(code: CodeName): ErrorReason {
  switch (code) {
    case 'INVALID_ARGUMENT':
    case 'OUT_OF_RANGE':
      return 'INVALID_ARGUMENT';
    case 'UNAUTHENTICATED':
    case 'DEADLINE_EXCEEDED':
    case 'CANCELLED':
    case 'UNIMPLEMENTED':
      return code;
    case 'UNAVAILABLE':
      return 'SERVICE_UNAVAILABLE';
    default:
      return 'INTERNAL';
  }
}
