import { createHash, type Hash } from 'node:crypto';

/** Uploads whose hash is at hand for whoever goes on with them; of any other it is made of what is stored, at its end. */
const MAX_KEPT = 4096;

/** The SHA-256 of the first so many bytes of an upload. */
export interface RunningHash {
  hash: Hash;
  bytes: number;
}

/** Keeps the hashes of uploads that were left, so that a file that comes in many streams is read only once. */
export class OpenHashes {
  private readonly kept = new Map<string, RunningHash>();

  /** The hash of what is stored of an upload, which is its taker's from now on; undefined: not known here. */
  take(id: string, bytes: number): RunningHash | undefined {
    const found = this.kept.get(id);
    this.kept.delete(id);
    if (bytes === 0) return { hash: createHash('sha256'), bytes };
    return found?.bytes === bytes ? found : undefined;
  }

  keep(id: string, running: RunningHash): void {
    this.kept.set(id, running);
    if (this.kept.size <= MAX_KEPT) return;
    const [oldest] = this.kept.keys();
    this.kept.delete(oldest!);
  }
}
