import type { TestEdge } from './test-edge';

/** The most that one process of an edge holds, from now on until it is stopped, in bytes; asked every 50 ms. */
export class EdgeMemory {
  private most = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly edge: TestEdge) {
    this.timer = setInterval(() => this.look(), 50);
  }

  stop(): number {
    clearInterval(this.timer);
    this.look();
    return this.most;
  }

  private look(): void {
    try {
      this.most = Math.max(this.most, ...this.edge.residentBytes);
    } catch {
      // The edge is gone: a test that failed did not stop this.
      clearInterval(this.timer);
    }
  }
}
