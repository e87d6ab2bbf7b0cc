/**
 * Bounds the bytes of all bodies that are held at once: each has a bound of its own, but many large ones together
 * would still take all of the memory.
 */
export class BodyBudget {
  private heldBytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** Whether there is room; what is taken must be given back. Where nothing is held, there always is. */
  take(bytes: number): boolean {
    if (this.heldBytes > 0 && bytes > 0 && this.heldBytes + bytes > this.maxBytes) return false;
    this.heldBytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.heldBytes -= bytes;
  }
}
