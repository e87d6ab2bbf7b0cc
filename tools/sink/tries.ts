import type { MagicRecipient } from './magic-recipients';

/** How often each mail was tried, of the latest `most`: an older one is forgotten, and begins anew. */
export class Tries {
  private readonly counts = new Map<string, number>();

  constructor(private readonly most: number) {}

  /** Counts a try of the mail, and tells whether its recipient still has its effect. */
  isDue({ times }: MagicRecipient, mail: string): boolean {
    if (times === Infinity) return true;
    const count = (this.counts.get(mail) ?? 0) + 1;
    // The one tried last stays longest.
    this.counts.delete(mail);
    this.counts.set(mail, count);
    const [oldest] = this.counts.keys();
    if (this.counts.size > this.most && oldest !== undefined) this.counts.delete(oldest);
    return count <= times;
  }
}
