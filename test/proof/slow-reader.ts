import { setTimeout as sleep } from 'node:timers/promises';
import { type FileContent, ReceivedContent } from './file-content';
import type { FileEntrance } from './file-entrance';
import type { Started } from './started';

const BYTES_PER_SECOND = 2 ** 20;

/** A client that takes 1 MiB a second and no more; at the end of the file it begins again. */
export class SlowReader {
  /** Downloads of which some bytes were other ones. */
  different = 0;
  bytes = 0;
  private going = true;
  private readonly beganAt = performance.now();
  private readonly reading: Promise<void>;

  constructor(
    private readonly entrance: FileEntrance,
    private readonly fileId: string,
    private readonly content: FileContent,
    started: Started,
  ) {
    this.reading = this.read();
    this.reading.catch(() => undefined);
    started.onEnd(() => void (this.going = false));
  }

  /** @returns what it took a second, in MiB @throws what its downloads failed with */
  async end(): Promise<number> {
    this.going = false;
    await this.reading;
    return this.bytes / 2 ** 20 / ((performance.now() - this.beganAt) / 1000);
  }

  private async read(): Promise<void> {
    while (this.going) {
      const received = new ReceivedContent();
      for await (const data of this.entrance.download(this.fileId)) {
        received.take(data);
        this.bytes += data.length;
        if (!this.going) break;
        await sleep(Math.max(0, (this.bytes / BYTES_PER_SECOND) * 1000 - (performance.now() - this.beganAt)));
      }
      if (this.going ? !received.isAllOf(this.content) : !received.isBeginningOf(this.content)) this.different++;
    }
  }
}
