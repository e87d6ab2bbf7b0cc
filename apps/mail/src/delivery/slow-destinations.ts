/** A delivery that takes longer is slow: its destination may hold only some of the places from then on. */
export const SLOW_MS = 2000;
const LONGEST_WAIT_MS = 60_000;
const FORGET_AFTER_MS = 600_000;
const MAX_DESTINATIONS = 10_000;

interface Destination {
  /** When each delivery under way began. */
  running: number[];
  /** How long the relay takes for one, by and by. */
  averageMs: number;
  /** Until when each tenant's mails are put off already: the next one comes after them. */
  queuedUntil: Map<string, number>;
  lastUsed: number;
}

/**
 * Keeps one slow destination (a domain) from holding all places: where its deliveries take long, only a few run at a
 * time, and the others are put off until a place is likely to be free. What goes elsewhere passes them.
 */
export class SlowDestinations {
  private readonly destinations = new Map<string, Destination>();

  /** @param places that a slow destination may hold */
  constructor(private readonly places: number) {}

  /** @returns 0: it may begin now, and `left` must be called at its end; otherwise the milliseconds to put it off */
  enter(domain: string, tenant: string, now: number): number {
    const destination = this.destinations.get(domain) ?? this.add(domain, now);
    destination.lastUsed = now;
    const isSlow = destination.averageMs >= SLOW_MS;
    const looksSlow = now - (destination.running[0] ?? now) >= SLOW_MS;
    if ((!isSlow && !looksSlow) || destination.running.length < this.places) {
      destination.running.push(now);
      return 0;
    }
    // Until one has ended, it may as well be the relay or the database that is slow, and for everybody.
    if (!isSlow) return SLOW_MS;
    const after = Math.max(destination.queuedUntil.get(tenant) ?? now, now);
    const until = Math.min(after + destination.averageMs / this.places, now + LONGEST_WAIT_MS);
    destination.queuedUntil.set(tenant, until);
    return Math.ceil(until - now);
  }

  /** @param conversationMs what the relay took for a mail to there */
  took(domain: string, conversationMs: number): void {
    const destination = this.destinations.get(domain);
    if (!destination) return;
    destination.averageMs = destination.averageMs === 0 ? conversationMs : destination.averageMs * 0.8 + conversationMs * 0.2;
  }

  /** @param beganAt as `now` was when it entered */
  left(domain: string, beganAt: number): void {
    const running = this.destinations.get(domain)?.running;
    running?.splice(running.indexOf(beganAt), 1);
  }

  private add(domain: string, now: number): Destination {
    if (this.destinations.size >= MAX_DESTINATIONS) this.forgetIdle(now);
    const destination = { running: [], averageMs: 0, queuedUntil: new Map<string, number>(), lastUsed: now };
    this.destinations.set(domain, destination);
    return destination;
  }

  private forgetIdle(now: number): void {
    for (const [domain, { running, lastUsed }] of this.destinations) {
      const crowded = this.destinations.size >= MAX_DESTINATIONS;
      if (running.length === 0 && (crowded || now - lastUsed > FORGET_AFTER_MS)) this.destinations.delete(domain);
    }
  }
}
