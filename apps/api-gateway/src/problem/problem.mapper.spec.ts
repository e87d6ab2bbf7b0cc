import { HttpException, NotFoundException, PayloadTooLargeException } from '@nestjs/common';
import { type ErrorReason, errorReasons, RuleError } from '@sky-genesis/grpc';
import { knownErrorOf, problemOf, toRestField } from './problem.mapper';

describe('problemOf', () => {
  test.each<[ErrorReason, number, string]>([
    ['INVALID_ARGUMENT', 400, 'Bad Request'],
    ['MALFORMED_REQUEST', 400, 'Bad Request'],
    ['UNSUPPORTED_MEDIA_TYPE', 415, 'Unsupported Media Type'],
    ['UNAUTHENTICATED', 401, 'Unauthorized'],
    ['SCOPE_MISSING', 403, 'Forbidden'],
    ['SENDER_NOT_ALLOWED', 403, 'Forbidden'],
    ['ROUTE_NOT_FOUND', 404, 'Not Found'],
    ['EMAIL_NOT_FOUND', 404, 'Not Found'],
    ['IDEMPOTENCY_KEY_REUSED', 409, 'Conflict'],
    ['NOTHING_TO_CANCEL', 400, 'Bad Request'],
    ['MESSAGE_TOO_LARGE', 413, 'Payload Too Large'],
    ['ANSWER_TOO_LARGE', 500, 'Internal Server Error'],
    ['METADATA_TOO_LARGE', 431, 'Request Header Fields Too Large'],
    ['TOO_EARLY', 425, 'Too Early'],
    ['QUEUE_FULL', 429, 'Too Many Requests'],
    ['OVERLOADED', 503, 'Service Unavailable'],
    ['DATABASE_UNAVAILABLE', 503, 'Service Unavailable'],
    ['ACCEPT_UNKNOWN', 503, 'Service Unavailable'],
    ['SERVICE_UNAVAILABLE', 503, 'Service Unavailable'],
    ['DEADLINE_EXCEEDED', 504, 'Gateway Timeout'],
    ['CANCELLED', 499, 'Client Closed Request'],
    ['UNIMPLEMENTED', 501, 'Not Implemented'],
    ['FILE_NOT_FOUND', 404, 'Not Found'],
    ['FILE_IN_USE', 409, 'Conflict'],
    ['FILE_TOO_LARGE', 413, 'Payload Too Large'],
    ['FILE_QUOTA_EXCEEDED', 413, 'Payload Too Large'],
    ['OFFSET_MISMATCH', 409, 'Conflict'],
    ['UPLOAD_BUSY', 409, 'Conflict'],
    ['UPLOAD_COMPLETE', 409, 'Conflict'],
    ['DIGEST_MISMATCH', 400, 'Bad Request'],
    ['CHECKSUM_MISMATCH', 460, 'Checksum Mismatch'],
    ['UNSUPPORTED_TUS_VERSION', 412, 'Precondition Failed'],
    ['RANGE_NOT_SATISFIABLE', 416, 'Range Not Satisfiable'],
    ['STORE_FULL', 507, 'Insufficient Storage'],
    ['STORE_UNAVAILABLE', 503, 'Service Unavailable'],
    ['CONTENT_LOST', 500, 'Internal Server Error'],
    ['INTERNAL', 500, 'Internal Server Error'],
  ])('%s is %i %s', (reason, status, title) => {
    expect(problemOf(new RuleError(reason), 'r1')).toMatchObject({ status, title, code: reason, request_id: 'r1' });
  });

  test('names fields as REST does, in the detail too', () => {
    const violations = [
      { field: 'email.to[0]', description: 'must be an address' },
      { field: 'options.headers[X-A]', description: 'is too long' },
    ];
    expect(problemOf(new RuleError('INVALID_ARGUMENT', 'email.to[0]: must be an address; ...', { violations }), 'r1')).toEqual({
      status: 400,
      title: 'Bad Request',
      detail: 'to[0]: must be an address; headers[X-A]: is too long',
      code: 'INVALID_ARGUMENT',
      errors: [
        { field: 'to[0]', message: 'must be an address' },
        { field: 'headers[X-A]', message: 'is too long' },
      ],
      request_id: 'r1',
    });
  });

  test('tells the facts that a program acts on', () => {
    const problem = problemOf(new RuleError('UNAUTHENTICATED', 'expired', { facts: { cursor: '7' } }), 'r1');
    expect(problem.facts).toEqual({ cursor: '7' });
    expect(problemOf(new RuleError('UNAUTHENTICATED'), 'r1')).not.toHaveProperty('facts');
  });

  test('bounds what it repeats', () => {
    const violations = Array.from({ length: 10_000 }, () => ({ field: 'x'.repeat(5000), description: 'y'.repeat(5000) }));
    const { errors, detail } = problemOf(new RuleError('INVALID_ARGUMENT', '', { violations }), 'r1');
    expect(errors).toHaveLength(32);
    expect([errors?.[0]?.field.length, errors?.[0]?.message.length, detail?.length]).toEqual([1024, 1024, 1024]);
  });

  test('tells nothing of a defect', () => {
    expect(problemOf(new RuleError('INTERNAL', 'relation "emails" does not exist'), 'r1')).toEqual({
      status: 500,
      title: 'Internal Server Error',
      code: 'INTERNAL',
      request_id: 'r1',
    });
  });
});

test.each([
  ['email.from', 'from'],
  ['email.attachments[0].content_type', 'attachments[0].content_type'],
  ['options.headers[options.x]', 'headers[options.x]'],
  ['email', 'body'],
  ['idempotency_key', 'Idempotency-Key'],
  ['page_size', 'page_size'],
])('%s of the contract is %s in REST', (contract, rest) => expect(toRestField(contract)).toBe(rest));

describe('knownErrorOf', () => {
  const reasonOf = (error: unknown) => knownErrorOf(error, 1000)?.reason;
  const fastify = (code: string) => Object.assign(new Error('x'), { code });

  test('the limit is named, and the size where the client told it', () => {
    const error = new PayloadTooLargeException('x', { cause: fastify('FST_ERR_CTP_BODY_TOO_LARGE') });
    const limit = 'is larger than 1000 bytes, the limit that GRPC_MAX_MESSAGE_SIZE sets';
    expect(knownErrorOf(error, 1000)).toMatchObject({ reason: 'MESSAGE_TOO_LARGE', message: `the body ${limit}` });
    expect(knownErrorOf(error, 1000, 1001)?.message).toBe(`the body of 1001 bytes ${limit}`);
  });

  test.each<[unknown, ErrorReason | undefined]>([
    [new HttpException('x', 415, { cause: fastify('FST_ERR_CTP_INVALID_MEDIA_TYPE') }), 'UNSUPPORTED_MEDIA_TYPE'],
    [fastify('FST_ERR_BAD_URL'), 'MALFORMED_REQUEST'],
    [new HttpException('x', 400, { cause: fastify('FST_ERR_CTP_INVALID_CONTENT_LENGTH') }), 'MALFORMED_REQUEST'],
    [new NotFoundException(), 'ROUTE_NOT_FOUND'],
    [new HttpException('x', 401), 'UNAUTHENTICATED'],
    [new HttpException('x', 502), undefined],
    [new TypeError('x'), undefined],
    ['thrown text', undefined],
    [undefined, undefined],
  ])('%p is %s', (error, reason) => expect(reasonOf(error)).toBe(reason));
});

test('every reason has a status of its own or of its code', () => {
  for (const reason of Object.keys(errorReasons) as ErrorReason[]) {
    expect(problemOf(new RuleError(reason), 'r1').status).toBeGreaterThanOrEqual(400);
  }
});
