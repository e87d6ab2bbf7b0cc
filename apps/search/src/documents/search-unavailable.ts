import { RuleError } from '@sky-genesis/grpc/rule-error';

const LEAST_SECONDS = 1;
const MOST_SECONDS = 5;

/** Not all at once when the engine is back: callers are told different times. */
export function searchUnavailable(message?: string): RuleError {
  const retryAfterSeconds = LEAST_SECONDS + Math.floor(Math.random() * (MOST_SECONDS - LEAST_SECONDS + 1));
  return new RuleError('SEARCH_UNAVAILABLE', message, { retryAfterSeconds });
}
