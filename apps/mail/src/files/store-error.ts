import { RuleError } from '@sky-genesis/grpc/rule-error';

const RETRY_AFTER_SECONDS = 5;

/** What a store failed with, told without its words: those have paths, keys and hosts in them. `cause` is for the log. */
export const storeUnavailable = (cause: unknown): RuleError =>
  Object.assign(new RuleError('STORE_UNAVAILABLE', undefined, { retryAfterSeconds: RETRY_AFTER_SECONDS }), { cause });

export const storeFull = (cause: unknown): RuleError => Object.assign(new RuleError('STORE_FULL'), { cause });

export const contentLost = (cause: unknown): RuleError => Object.assign(new RuleError('CONTENT_LOST'), { cause });

export const isContentLost = (error: unknown): boolean => error instanceof RuleError && error.reason === 'CONTENT_LOST';
