import type { EventFilter, EventPage, StoredEvent } from './event.store';

export const storedEvent = (cursor: number, type = 'email.sent'): StoredEvent => ({
  id: '01890000-0000-7000-8000-000000000000',
  cursor,
  type,
  emailId: '01890000-0000-7000-8000-000000000001',
  recipient: 'x@example.com',
  status: type.slice('email.'.length),
  detail: '250 taken',
  occurredAtMs: 1_764_000_000_123,
});

/** The events of one tenant, in memory, in place of a store. */
export class PlantedStore {
  readonly types: string[] = [];
  failing: Error | undefined;
  asked = 0;

  add(...types: string[]): void {
    this.types.push(...types);
  }

  range(): Promise<{ first: number; last: number }> {
    return Promise.resolve({ first: 1, last: this.types.length });
  }

  lastOf(tenants: readonly string[]): Promise<{ tenant: string; last: number }[]> {
    this.asked++;
    if (this.failing) return Promise.reject(this.failing);
    return Promise.resolve(tenants.map((tenant) => ({ tenant, last: this.types.length })));
  }

  page(_tenant: string, after: number, { types }: EventFilter, limit: number): Promise<EventPage> {
    if (this.failing) return Promise.reject(this.failing);
    const last = this.types.length;
    const events = this.types
      .map((type, index) => storedEvent(index + 1, type))
      .filter(({ cursor, type }) => cursor > after && (types?.includes(type) ?? true))
      .slice(0, limit);
    return Promise.resolve({ events, last, cursor: events.length === limit ? events.at(-1)!.cursor : last });
  }
}
