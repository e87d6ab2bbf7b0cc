import { closeSync, copyFileSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs';

const TAIL_BYTES = 16_384;

/** What one program prints, over all its runs: bounded, the part before kept as `<name>.log.1`. */
export class LogFile {
  constructor(
    readonly path: string,
    private readonly maxBytes = 10_000_000,
  ) {}

  /**
   * A descriptor for a child to append to: the child writes by itself, so that its last words are kept even when nobody
   * reads them. The caller closes it once the child has it.
   */
  openToAppend(): number {
    this.bound();
    return openSync(this.path, 'a', 0o600);
  }

  /** How much is in it: where the next run begins. */
  size(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Cuts a file that grew over its bound; lines written between the two steps are lost. */
  bound(): void {
    if (this.size() <= this.maxBytes) return;
    copyFileSync(this.path, `${this.path}.1`);
    truncateSync(this.path);
  }

  /** The last lines after a position, without empty ones, each at most 500 characters long. */
  lastLines(count: number, from: number): string[] {
    const file = openSync(this.path, 'r');
    try {
      const { size } = fstatSync(file);
      const start = Math.max(from > size ? 0 : from, size - TAIL_BYTES);
      const text = Buffer.alloc(size - start);
      readSync(file, text, 0, text.length, start);
      const lines = text
        .toString('utf8')
        .split('\n')
        .filter((line) => line.trim() !== '');
      return lines.slice(-count).map((line) => (line.length > 500 ? `${line.slice(0, 500)} ...` : line));
    } finally {
      closeSync(file);
    }
  }
}
