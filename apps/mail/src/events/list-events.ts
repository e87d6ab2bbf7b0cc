import { Injectable } from '@nestjs/common';
import { Violations } from '../emails/check-fields';
import { checkEventQuery, type EventQuery } from './event-query';
import type { StoredEvent } from './event.store';
import { ReadEvents } from './read-events';

const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;

export interface EventListing {
  events: StoredEvent[];
  cursor: number;
  hasMore: boolean;
}

@Injectable()
export class ListEvents {
  constructor(private readonly events: ReadEvents) {}

  /**
   * A page may have fewer events than asked for, or none, and more to follow: a filter is searched for a bounded stretch
   * at a time. Without `after` it begins with what comes next, as a watch does: it has no events, and the cursor of now.
   * @throws InvalidArgumentError
   * @throws RuleError CURSOR_OUT_OF_RANGE
   */
  async list(tenant: string, query: EventQuery & { pageSize: number }): Promise<EventListing> {
    const violations = new Violations();
    if (query.pageSize < 0 || query.pageSize > MAX_PAGE) violations.add('page_size', `must be 1 to ${MAX_PAGE}, or 0 for ${DEFAULT_PAGE}`);
    const { from, filter } = checkEventQuery(query, violations);
    const after = await this.events.start(tenant, from);
    const { events, cursor, last } = await this.events.page(tenant, after, filter, query.pageSize || DEFAULT_PAGE);
    return { events, cursor, hasMore: cursor < last };
  }
}
