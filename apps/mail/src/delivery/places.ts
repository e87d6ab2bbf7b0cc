import type { OutgoingEmail } from './outgoing-email';
import type { Overdue } from './overdue';
import { SLOW_MS, SlowDestinations } from './slow-destinations';

/** What a worker has under way, and who holds how much of it. */
export class Places {
  private readonly held = new Map<OutgoingEmail, number>();
  private readonly destinations: SlowDestinations;

  /** @param size mails under way at once */
  constructor(
    private readonly size: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.destinations = new SlowDestinations(Math.max(1, Math.floor(size / 4)));
  }

  get free(): number {
    return this.size - this.held.size;
  }

  /** What one tenant may hold: some are left for the others, unless there is one only. */
  get perTenant(): number {
    return Math.max(1, Math.floor((this.size * 3) / 4));
  }

  get emails(): OutgoingEmail[] {
    return [...this.held.keys()];
  }

  /** The tenants of mails that are not slow: for slow ones their destination is to blame, and bounded on its own. */
  get tenantsHolding(): string[] {
    const slowSince = this.now() - SLOW_MS;
    return [...this.held].filter(([, since]) => since > slowSince).map(([{ tenant }]) => tenant);
  }

  /** Leases are renewed, so that only who holds a mail can tell a hand-over that hangs from one that goes on. */
  heldLongerThan(seconds: number): Overdue | undefined {
    const now = this.now();
    const ages = Array.from(this.held, ([{ id }, since]) => ({ id, seconds: (now - since) / 1000 }));
    const overdue = ages.filter((age) => age.seconds > seconds);
    // In the order of claiming.
    const [oldest] = overdue;
    return oldest && { count: overdue.length, oldestId: oldest.id, oldestSeconds: oldest.seconds };
  }

  /** @returns 0: the mail has a place, and `leave` must be called; otherwise the milliseconds to put it off */
  take(email: OutgoingEmail): number {
    const now = this.now();
    const waitMs = this.destinations.enter(domainOf(email), email.tenant, now);
    if (waitMs === 0) this.held.set(email, now);
    return waitMs;
  }

  leave(email: OutgoingEmail): void {
    const since = this.held.get(email);
    if (since === undefined) return;
    this.held.delete(email);
    this.destinations.left(domainOf(email), since);
  }

  /** @param conversationMs what the relay took for it */
  took(email: OutgoingEmail, conversationMs: number): void {
    this.destinations.took(domainOf(email), conversationMs);
  }
}

/** Where the mail goes: with several recipients, the first one's domain. */
const domainOf = ({ recipients: [first] }: OutgoingEmail): string => first?.address.slice(first.address.lastIndexOf('@') + 1) ?? '';
