/** How far search has been told of a tenant, and how far there is to go. */
export interface TenantPlace {
  tenant: string;
  /** The last event that is fed. */
  cursor: number;
  /** The last event that there is. */
  last: number;
  /** All mails are read again: those up to this one are. Null: only what events tell is read. */
  walkAfter: string | null;
}

/** Tenants that one question for them gives, at most. */
export const TENANTS_ASKED = 1000;
/** Tenants that wait for their turn, at most; then no more are asked for. */
const MAX_WAITING = 10_000;

/**
 * The tenants that have something to feed, in turn, and what may be claimed once they had theirs.
 *
 * A claim begins with a clock. Every tenant is asked for after that clock was read, so in a later snapshot: a mail is
 * accepted when it is committed, and its sender is answered after that, so whatever was answered before the clock is among
 * the events seen. When all these are fed, everything accepted up to the clock is. Meanwhile others go on: a tenant with
 * much to feed keeps the claim waiting, and nobody else.
 */
export class FeedBacklog {
  private readonly waiting = new Map<string, TenantPlace>();
  /** What the claim waits for: the last event seen, by tenant. */
  private readonly owed = new Map<string, number>();
  private clockMs: number | undefined;
  /** All tenants have been asked for since the clock. */
  private sweptSinceClock = false;
  private sweptTo = '';

  /** Where the next question for tenants goes on: behind this one. */
  get place(): string {
    return this.sweptTo;
  }

  get isFull(): boolean {
    return this.waiting.size >= MAX_WAITING;
  }

  get isEmpty(): boolean {
    return this.waiting.size === 0;
  }

  /** Events not fed, as far as is known. */
  get eventsBehind(): number {
    let events = 0;
    for (const { cursor, last } of this.waiting.values()) events += last - cursor;
    return events;
  }

  /** Tenants whose mails are read again, as far as is known. */
  get walking(): number {
    let tenants = 0;
    for (const { walkAfter } of this.waiting.values()) if (walkAfter !== null) tenants++;
    return tenants;
  }

  /** The clock of the database in unix milliseconds, read before the question whose answer `found` takes. */
  clock(nowMs: number): void {
    // A claim under way is not moved: it would never be made where somebody always has something new.
    if (this.clockMs !== undefined || this.sweptTo !== '') return;
    this.clockMs = nowMs;
    this.sweptSinceClock = false;
  }

  /**
   * Tenants behind `place`, TENANTS_ASKED of them at most.
   * @returns whether there may be more
   */
  found(tenants: readonly TenantPlace[]): boolean {
    for (const place of tenants) {
      this.waiting.set(place.tenant, place);
      if (!this.sweptSinceClock) this.owed.set(place.tenant, place.last);
    }
    const more = tenants.length === TENANTS_ASKED;
    this.sweptTo = more ? tenants.at(-1)!.tenant : '';
    if (!more) this.sweptSinceClock = true;
    return more;
  }

  /** Whose turn it is. */
  next(limit: number): TenantPlace[] {
    const places: TenantPlace[] = [];
    for (const place of this.waiting.values()) {
      places.push(place);
      if (places.length === limit) break;
    }
    return places;
  }

  /** Where a tenant stands after its turn; who has more to feed waits behind all others. */
  moved(place: TenantPlace): void {
    this.waiting.delete(place.tenant);
    if (place.walkAfter !== null || place.cursor < place.last) this.waiting.set(place.tenant, place);
    if (place.walkAfter === null && place.cursor >= (this.owed.get(place.tenant) ?? Infinity)) this.owed.delete(place.tenant);
  }

  /** Up to when everything is fed, once for each clock; undefined while it is not. */
  takeClaim(): number | undefined {
    if (this.clockMs === undefined || !this.sweptSinceClock || this.owed.size > 0) return undefined;
    const throughMs = this.clockMs;
    this.clockMs = undefined;
    return throughMs;
  }
}
