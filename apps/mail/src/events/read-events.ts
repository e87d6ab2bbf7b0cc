import { Injectable } from '@nestjs/common';
import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import type { StartingPoint } from './event-query';
import { type EventFilter, type EventPage, EventStore } from './event.store';

/** Reads the events of a tenant in order, without gaps: what is no longer kept is told, and never left out in silence. */
@Injectable()
export class ReadEvents {
  constructor(private readonly store: EventStore) {}

  /** The cursor that a read from there begins after. */
  async start(tenant: string, from: StartingPoint): Promise<number> {
    if (typeof from === 'number') return from;
    const { first, last } = await this.store.range(tenant);
    return from === 'now' ? last : first - 1;
  }

  /**
   * @throws RuleError CURSOR_OUT_OF_RANGE with the fact `first_cursor`
   * @throws InvalidArgumentError for a cursor that no event has had yet
   */
  async page(tenant: string, after: number, filter: EventFilter, limit: number): Promise<EventPage> {
    const page = await this.store.page(tenant, after, filter, limit);
    if (after > page.last) {
      throw new InvalidArgumentError([{ field: 'after', description: `must be a cursor seen before; the last event has ${page.last}` }]);
    }
    if (page.missingBefore !== undefined) throw outOfRange(after, page.missingBefore);
    return page;
  }
}

const outOfRange = (after: number, first: number): RuleError =>
  new RuleError(
    'CURSOR_OUT_OF_RANGE',
    `events after cursor ${after} are no longer kept; the first kept is ${first}: after ${first - 1} goes on from there`,
    { facts: { first_cursor: String(first) } },
  );
