/**
 * A bound on what is under way at once. Who finds it full waits and is let in first come, first served, so that a
 * large one is not passed by small ones for ever.
 */
export class InFlight {
  private used = 0;
  private readonly waiting: { weight: number; enter: () => void }[] = [];

  /** @param max the weight that may be in at once */
  constructor(private readonly max: number) {}

  /** Whether nothing is in. */
  get empty(): boolean {
    return this.used === 0;
  }

  /**
   * Resolves once there is room. What weighs more than all that may be in is let in alone.
   * @throws the signal's reason, when it aborts before
   */
  enter(weight: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const bounded = Math.min(weight, this.max);
    if (this.waiting.length === 0 && this.used + bounded <= this.max) {
      this.used += bounded;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const entry = {
        weight: bounded,
        enter: () => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      const giveUp = () => {
        this.waiting.splice(this.waiting.indexOf(entry), 1);
        reject(signal.reason as Error);
        this.letIn();
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiting.push(entry);
    });
  }

  leave(weight: number): void {
    this.used -= Math.min(weight, this.max);
    this.letIn();
  }

  private letIn(): void {
    for (let [next] = this.waiting; next && this.used + next.weight <= this.max; [next] = this.waiting) {
      this.waiting.shift();
      this.used += next.weight;
      next.enter();
    }
  }
}
