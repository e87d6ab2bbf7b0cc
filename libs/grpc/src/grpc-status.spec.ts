import { Metadata, type ServiceError, status, type StatusObject } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo } from 'nice-grpc-error-details';
import { Status } from 'nice-grpc-error-details/lib/proto/google/rpc/status';
import { type CodeName, defaultReason, type ErrorReason, errorReasons } from './error-reasons';
import { completeStatus, fromServiceError, type SentStatus, toStatus } from './grpc-status';
import { InvalidArgumentError, RuleError } from './rule-error';

const DETAILS = 'grpc-status-details-bin';
const asReceived = (sent: SentStatus) => Object.assign(new Error(sent.details), sent) as ServiceError;
const roundTrip = (error: unknown) => fromServiceError(asReceived(toStatus(error)));
const detailsOf = (sent: SentStatus) => Status.decode(sent.metadata!.get(DETAILS)[0]);
const reasonOf = (sent: SentStatus) => ErrorInfo.decode(detailsOf(sent).details[0]!.value).reason;
const bare = (code: status, details = ''): StatusObject => ({ code, details, metadata: new Metadata() });

/** The size of the trailers as HTTP/2 counts them. */
function trailerBytes(sent: StatusObject): number {
  const headers = { 'grpc-message': encodeURI(sent.details), ...sent.metadata.toHttp2Headers() };
  return Object.entries(headers).reduce((bytes, [name, value]) => bytes + name.length + [value].flat().join().length + 32, 0);
}

test.each(Object.keys(errorReasons))('%s comes back from the wire as it was thrown', (reason) => {
  const thrown = new RuleError(reason, 'what the caller did', { retryAfterSeconds: 7 });
  const received = roundTrip(thrown);
  expect(received).toMatchObject({ reason, message: 'what the caller did', code: errorReasons[reason].code });
  expect(received.details.retryAfterSeconds).toBe(7);
  expect(toStatus(thrown).code).toBe(status[errorReasons[reason].code]);
});

test('violations come back field by field', () => {
  const violations = [
    { field: 'email.to[0]', description: 'must be an address' },
    { field: 'options.headers[X-Ünïcode]', description: 'must be ASCII' },
  ];
  expect(roundTrip(new InvalidArgumentError(violations)).details.violations).toEqual(violations);
});

test('a part of a second is told as a whole one', () => {
  expect(roundTrip(new RuleError('QUEUE_FULL', undefined, { retryAfterSeconds: 0.2 })).details.retryAfterSeconds).toBe(1);
});

test.each([new Error('password=hunter2'), 'hunter2', undefined, { code: status.OK, details: 'hunter2' }])(
  'what was not foreseen is INTERNAL and says nothing of what was thrown (%#)',
  (thrown) => {
    const sent = toStatus(thrown);
    expect(sent.code).toBe(status.INTERNAL);
    expect(reasonOf(sent)).toBe('INTERNAL');
    expect(JSON.stringify([sent.details, detailsOf(sent), sent.metadata.toJSON()])).not.toContain('hunter2');
  },
);

test.each(['x', 'é', '電', '📧'])('however many fields are wrong, the trailers stay under 8 KiB (%s)', (char) => {
  const violations = Array.from({ length: 10_000 }, (_, at) => ({
    field: `email.to[${at}]${char.repeat(300)}`,
    description: char.repeat(300),
  }));
  const sent = toStatus(new InvalidArgumentError(violations));
  expect(trailerBytes(sent)).toBeLessThan(8192);
  const told = BadRequest.decode(detailsOf(sent).details[1]!.value).fieldViolations;
  expect(told.length).toBeGreaterThan(4);
  expect(told[0]!.field).toContain('email.to[0]');
});

test.each(['a\uD800b', `${'x'.repeat(1023)}📧`, `${'x'.repeat(1024)}📧`])('a message with half a character can be sent (%#)', (message) => {
  const sent = toStatus(new RuleError('INVALID_ARGUMENT', message, { violations: [{ field: message, description: message }] }));
  expect(() => encodeURI(sent.details)).not.toThrow();
  expect(fromServiceError(asReceived(sent)).message).toBe(sent.details);
});

test('a status without details is read by its code', () => {
  expect(fromServiceError(asReceived(bare(status.UNAVAILABLE, 'No connection established')))).toMatchObject({
    reason: 'SERVICE_UNAVAILABLE',
    message: errorReasons.SERVICE_UNAVAILABLE.meaning,
  });
  expect(fromServiceError(asReceived(bare(99 as status))).reason).toBe('INTERNAL');
});

test.each([
  ['Attempted to send message with a size larger than 8', 'MESSAGE_TOO_LARGE', 'the message is larger'],
  ['Received message larger than max (9 vs 8)', 'ANSWER_TOO_LARGE', 'the answer of 9 bytes is larger'],
  ['Received message that decompresses to a size larger than 8', 'ANSWER_TOO_LARGE', 'the answer, decompressed, is larger'],
])('%s: what a client found too large is told with the limit and its setting', (details, reason, begins) => {
  const message = `${begins} than 8 bytes, the limit that GRPC_MAX_MESSAGE_SIZE sets`;
  expect(fromServiceError(asReceived(bare(status.RESOURCE_EXHAUSTED, details)))).toMatchObject({ reason, message });
});

test('details that cannot be read, or with a reason of a newer service, are read by the code', () => {
  const broken = bare(status.NOT_FOUND);
  broken.metadata.set(DETAILS, Buffer.from([0xff, 0xff]));
  expect(fromServiceError(asReceived(broken)).reason).toBe('INTERNAL');

  const value = ErrorInfo.encode(ErrorInfo.fromPartial({ reason: 'toString' })).finish();
  const newer = bare(status.UNAUTHENTICATED);
  const details = [{ typeUrl: `type.googleapis.com/${ErrorInfo.$type}`, value }];
  newer.metadata.set(DETAILS, Buffer.from(Status.encode(Status.fromPartial({ message: 'newer', details })).finish()));
  expect(fromServiceError(asReceived(newer))).toMatchObject({ reason: 'UNAUTHENTICATED', message: 'newer' });
});

describe('statuses that grpc-js makes by itself', () => {
  test.each([
    [status.RESOURCE_EXHAUSTED, 'Received message larger than max (9 vs 8)', 'MESSAGE_TOO_LARGE'],
    [status.RESOURCE_EXHAUSTED, 'Received message that decompresses to a size larger than 8', 'MESSAGE_TOO_LARGE'],
    [status.INTERNAL, 'Error deserializing request', 'MALFORMED_REQUEST'],
    [status.INTERNAL, 'Failed to decompress message', 'MALFORMED_REQUEST'],
    [status.INTERNAL, 'Invalid grpc-timeout value "soon"', 'MALFORMED_REQUEST'],
    [status.INTERNAL, 'Error serializing response', 'INTERNAL'],
    [status.UNKNOWN, 'Unknown Error', 'INTERNAL'],
    [status.DEADLINE_EXCEEDED, 'Deadline exceeded', 'DEADLINE_EXCEEDED'],
    [status.UNIMPLEMENTED, 'The server does not implement the method', 'UNIMPLEMENTED'],
  ] as const)('%i %s gets the reason %s', (code, details, reason) => {
    const sent = completeStatus(bare(code, details), 8);
    expect(reasonOf(sent)).toBe(reason);
    expect(sent.code).toBe(status[errorReasons[reason].code]);
  });

  test('the text of an error of ours is not told', () => {
    expect(completeStatus(bare(status.UNKNOWN, 'hunter2'), 8).details).not.toContain('hunter2');
  });

  test.each([
    ['Received message larger than max (9 vs 8)', 'the message of 9 bytes is larger', { size_bytes: '9' }],
    ['Received message that decompresses to a size larger than 8', 'the message, decompressed, is larger', {}],
  ])('%s: the size where it is known, the limit and its setting are told', (details, begins, size) => {
    const told = fromServiceError(asReceived(completeStatus(bare(status.RESOURCE_EXHAUSTED, details), 8)));
    expect(told).toMatchObject({
      message: `${begins} than 8 bytes, the limit that GRPC_MAX_MESSAGE_SIZE sets`,
      details: { facts: { limit_bytes: '8', setting: 'GRPC_MAX_MESSAGE_SIZE', ...size } },
    });
  });

  test('a code without a reason of its own, OK, and a status with details go out as they are', () => {
    for (const sent of [bare(status.NOT_FOUND, 'service unknown'), bare(status.OK), toStatus(new RuleError('EMAIL_NOT_FOUND'))]) {
      expect(completeStatus(sent, 8)).toBe(sent);
    }
  });
});

test('the reason for a bare code has that code, or is INTERNAL', () => {
  const bareCodes = Object.keys(status).filter((name) => Number.isNaN(Number(name)) && name !== 'OK') as CodeName[];
  const others = bareCodes.filter((code) => errorReasons[defaultReason(code)].code !== code);
  expect(others.filter((code) => defaultReason(code) !== 'INTERNAL')).toEqual(['OUT_OF_RANGE']);
});
