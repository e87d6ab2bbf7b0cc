import { EventEmitter, once } from 'node:events';
import type { DestinationStream } from 'pino';

export type Line = Record<string, unknown>;

/** Where a logger writes in a test. */
export class LogLines implements DestinationStream {
  readonly lines: Line[] = [];
  private readonly arrived = new EventEmitter();

  write(line: string): void {
    this.lines.push(JSON.parse(line) as Line);
    this.arrived.emit('line');
  }

  /** All lines, once there are so many. */
  async atLeast(count: number): Promise<readonly Line[]> {
    while (this.lines.length < count) await once(this.arrived, 'line');
    return this.lines;
  }
}
