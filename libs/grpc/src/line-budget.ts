const LINES_PER_SECOND = 5;

/** A bound on log lines that others can cause: so many a second, and each says how many were left out before it. */
export class LineBudget {
  private second = 0;
  private used = 0;
  private left = 0;

  /** @param line writes the line; what it is given belongs to its end */
  write(line: (leftOut: string) => void): void {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.second) [this.second, this.used] = [second, 0];
    if (this.used >= LINES_PER_SECOND) {
      this.left += 1;
      return;
    }
    this.used += 1;
    const leftOut = this.left === 0 ? '' : ` (${this.left} lines like it left out)`;
    this.left = 0;
    line(leftOut);
  }
}
