import { RuleError } from '@sky-genesis/grpc/rule-error';
import { contentLost, storeFull, storeUnavailable } from '../store-error';

const LOST = new Set(['NoSuchKey', 'NoSuchUpload', 'InvalidPart', 'InvalidRange']);
const FULL = new Set(['QuotaExceeded', 'EntityTooLarge', 'InsufficientStorage', 'XMinioStorageFull', 'InsufficientCapacity']);
const INSUFFICIENT_STORAGE = 507;

/**
 * What an S3 server failed with, in the words of the port. A bucket that is not there and a refusal are settings that are
 * wrong, and no file is lost by that.
 */
export function s3Error(error: unknown): RuleError {
  if (error instanceof RuleError) return error;
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  if (LOST.has(String(name))) return contentLost(error);
  if (FULL.has(String(name)) || $metadata?.httpStatusCode === INSUFFICIENT_STORAGE) return storeFull(error);
  return storeUnavailable(error);
}
