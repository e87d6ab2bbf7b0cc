import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import { Violations } from '../emails/check-fields';
import { parseEmailId } from '../emails/email-id';
import { recipientStatuses } from '../emails/email-status';
import type { EventFilter } from './event.store';

/** As the contract's WatchEventsRequest: '' and [] mean not given. */
export interface EventQuery {
  after: string;
  types: readonly string[];
  messageId: string;
}

const MAX_TYPES = 32;
const CURSOR = /^(0|[1-9]\d{0,15})$/;
/** `sending` is never stored. */
const TYPES: readonly string[] = recipientStatuses.filter((status) => status !== 'sending').map((status) => `email.${status}`);

/** Where a read begins: after this cursor, or after what there is now, or before the first that is kept. */
export type StartingPoint = number | 'now' | 'first';

/** @param violations takes up what is wrong; thrown with it are those that others found before */
export function checkEventQuery(query: EventQuery, violations = new Violations()): { from: StartingPoint; filter: EventFilter } {
  const from = checkAfter(query.after, violations);
  checkTypes(query.types, violations);
  const emailId = query.messageId === '' ? undefined : checkMessageId(query.messageId, violations);
  if (violations.found.length > 0) throw new InvalidArgumentError(violations.found);
  return { from, filter: { types: query.types.length > 0 ? query.types : undefined, emailId } };
}

function checkAfter(after: string, violations: Violations): StartingPoint {
  if (after === '') return 'now';
  const cursor = Number(after);
  if (!CURSOR.test(after) || cursor > Number.MAX_SAFE_INTEGER) {
    violations.add('after', 'must be a cursor seen before, 0 (from the first kept) or empty (from now on)');
  }
  return cursor === 0 ? 'first' : cursor;
}

/** A type that does not exist would be waited for in silence. */
function checkTypes(types: readonly string[], violations: Violations): void {
  if (types.length > MAX_TYPES) violations.add('types', `must be at most ${MAX_TYPES}`);
  else {
    types.forEach((type, index) => {
      if (!TYPES.includes(type)) violations.add(`types[${index}]`, `must be one of ${TYPES.join(', ')}`);
    });
  }
}

function checkMessageId(id: string, violations: Violations): string | undefined {
  try {
    return parseEmailId(id);
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    violations.add('message_id', 'must be a message_id, with or without its prefix');
    return undefined;
  }
}
