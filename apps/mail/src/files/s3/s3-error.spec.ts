import { RuleError } from '@sky-genesis/grpc/rule-error';
import { s3Error } from './s3-error';

const ofServer = (name: string, httpStatusCode = 400) =>
  Object.assign(new Error('at /key of bucket'), { name, $metadata: { httpStatusCode } });

test.each([
  [ofServer('NoSuchKey', 404), 'CONTENT_LOST'],
  [ofServer('NoSuchUpload', 404), 'CONTENT_LOST'],
  [ofServer('InvalidPart'), 'CONTENT_LOST'],
  [ofServer('InvalidRange', 416), 'CONTENT_LOST'],
  [ofServer('QuotaExceeded', 403), 'STORE_FULL'],
  [ofServer('EntityTooLarge'), 'STORE_FULL'],
  [ofServer('XMinioStorageFull', 507), 'STORE_FULL'],
  [ofServer('Unknown', 507), 'STORE_FULL'],
  [ofServer('NoSuchBucket', 404), 'STORE_UNAVAILABLE'],
  [ofServer('AccessDenied', 403), 'STORE_UNAVAILABLE'],
  [ofServer('SlowDown', 503), 'STORE_UNAVAILABLE'],
  [ofServer('InternalError', 500), 'STORE_UNAVAILABLE'],
  [Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:9000'), { code: 'ECONNREFUSED' }), 'STORE_UNAVAILABLE'],
  [Object.assign(new Error('too late'), { name: 'TimeoutError' }), 'STORE_UNAVAILABLE'],
])('%s is %s, in words without keys and hosts', (error, reason) => {
  const told = s3Error(error);
  expect(told).toMatchObject({ reason, cause: error });
  expect(told.message).not.toMatch(/key of|10\.0/);
  expect(told.details.retryAfterSeconds).toBe(reason === 'STORE_UNAVAILABLE' ? 5 : undefined);
});

test('what is told already stays', () => {
  const told = new RuleError('CONTENT_LOST');
  expect(s3Error(told)).toBe(told);
});
