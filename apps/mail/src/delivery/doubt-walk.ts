import type { Overdue } from './overdue';

/** Where a walk goes on. */
export interface DoubtPlace {
  /** As PostgreSQL writes it, to the microsecond. */
  startedAt: string;
  emailId: string;
}

export interface DoubtPage {
  /** Those of this page that nobody has resolved. */
  overdue: Overdue | undefined;
  /** Undefined after the last page. */
  next: DoubtPlace | undefined;
}

/** A walk through all attempts that ended in doubt, a page at each step; after the last page it begins again. */
export class DoubtWalk {
  private found: Overdue | undefined;
  private next: DoubtPlace | undefined;
  private whole: Overdue | undefined;

  constructor(private readonly read: (after: DoubtPlace | undefined) => Promise<DoubtPage>) {}

  /** What the last whole walk found; during the first one, what was found so far. */
  async step(): Promise<Overdue | undefined> {
    const { overdue, next } = await this.read(this.next);
    // Pages come oldest first.
    this.found = this.found && overdue ? { ...this.found, count: this.found.count + overdue.count } : (this.found ?? overdue);
    this.next = next;
    if (next) return this.whole ?? this.found;
    this.whole = this.found;
    this.found = undefined;
    return this.whole;
  }
}
