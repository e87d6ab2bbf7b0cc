import { setTimeout as sleep } from 'node:timers/promises';
import type { FileReader, SeenFile } from './file.reader';
import type { SeededRandom } from './seeded-random';
import { UploadFailure } from './upload.way';

const PAUSE_MS = { min: 20, max: 400 };
/** A file may be seen before it is heard that the last bytes of it have left. */
const UNHEARD_BYTES = 2 ** 20;

/** What must be seen of an upload. */
export interface Expected {
  size: number;
  sha256: string;
}

export const isWhole = (seen: SeenFile, { size, sha256 }: Expected): boolean =>
  seen.size === size && seen.toldSha256 === sha256 && (seen.readSha256 ?? sha256) === sha256;

/** Looks at one upload again and again, as somebody who has its id would: there is no file, or all of it. */
export class FileWatch {
  looks = 0;
  /** What must not have been seen. */
  readonly faults: string[] = [];
  private isSeen = false;
  private over = false;

  constructor(
    private readonly reader: FileReader,
    private readonly expected: Expected,
    private readonly random: SeededRandom,
    /** The upload as it is now; `sent`: the most bytes that any client of it has sent. */
    private readonly now: () => { fileId: string; sent: number },
  ) {}

  /** Resolves when it was ended. */
  async begin(): Promise<void> {
    for (; !this.over; await sleep(this.random.integer(PAUSE_MS.min, PAUSE_MS.max))) {
      const { fileId } = this.now();
      if (fileId !== '') await this.look(fileId);
    }
  }

  end(): void {
    this.over = true;
  }

  private async look(fileId: string): Promise<void> {
    const [name, read] = this.random.pick(Object.entries(this.reader.ways));
    try {
      const seen = await read(fileId);
      this.isSeen = true;
      if (!isWhole(seen, this.expected)) this.faults.push(`${name} showed ${seen.size} bytes of ${this.expected.size}, or others`);
      if (this.now().sent + UNHEARD_BYTES < this.expected.size) this.faults.push(`${name} showed it before all was sent`);
    } catch (error) {
      if (!(error instanceof UploadFailure)) throw error;
      // What is away shows nothing.
      if (error.reason !== 'FILE_NOT_FOUND') return;
      if (this.isSeen) this.faults.push(`${name} did not show it any more`);
    }
    this.looks++;
  }
}
