import { Injectable } from '@nestjs/common';

/** Wakes this process's worker when there is something to do at once, so that it need not poll often. */
@Injectable()
export class DueSignal {
  private raised = false;
  private wake: (() => void) | undefined;

  raise(): void {
    this.raised = true;
    this.wake?.();
  }

  /** Resolves when the signal is raised (or was since the last wait), and after the given time in any case. */
  async wait(ms: number): Promise<void> {
    if (!this.raised) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.raised = false;
    this.wake = undefined;
  }
}
