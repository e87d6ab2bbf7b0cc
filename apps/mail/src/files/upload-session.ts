import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import type { FileStore } from './file.store';
import type { ObjectState, ObjectStore, ObjectWriter } from './object.store';
import type { OpenHashes, RunningHash } from './open-hashes';
import type { StoredFile } from './stored-file';
import type { Upload } from './upload';
import { CLAIM_SECONDS, type UploadStore } from './upload.store';

/** How often what has arrived is made durable, where it is too little for a checkpoint that costs nothing. */
const TICK_MS = 3000;
const RELEASE_AGAIN_MS = 500;
/** From when on a claim that was not renewed is asked for again before anything is written: before another can have it. */
const DOUBTFUL_MS = (CLAIM_SECONDS - 3) * 1000;

export interface SessionStores {
  uploads: UploadStore;
  files: FileStore;
  objects: ObjectStore;
  hashes: OpenHashes;
}

/** One writer's work at one upload: from its claim until the upload is complete, or left for another to go on with. */
export class UploadSession {
  /** Bytes taken so far: where the next must begin. */
  position: number;
  totalSize: number | undefined;
  private stored: number;
  private state: ObjectState;
  /** Of an atomic one: what was taken is to be kept. */
  committed = false;
  private writer: ObjectWriter | undefined;
  private readonly running: RunningHash | undefined;
  private readonly before: RunningHash | undefined;
  private readonly ticker: NodeJS.Timeout;
  private claimedAt = performance.now();
  private work: Promise<void> = Promise.resolve();
  /** A checkpoint or a renewal is under way. */
  private working = false;
  /** Something is being done with what has come. */
  private busy = false;
  /** What has come is to be under a checkpoint soon. */
  private isDue = false;
  private movedTo: number;

  /** @param atomic nothing is recorded until it is committed */
  constructor(
    private readonly stores: SessionStores,
    readonly upload: Upload,
    private readonly writerId: string,
    readonly atomic: boolean,
  ) {
    this.position = this.stored = this.movedTo = upload.object.size;
    this.state = upload.object.state;
    this.totalSize = upload.totalSize;
    this.running = stores.hashes.take(upload.id, this.position);
    if (atomic && this.running) this.before = { ...this.running, hash: this.running.hash.copy() };
    this.ticker = setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** @throws RuleError UPLOAD_BUSY, FILE_QUOTA_EXCEEDED, STORE_FULL, STORE_UNAVAILABLE, DATABASE_UNAVAILABLE */
  write(data: Buffer): Promise<void> {
    return this.whileBusy(() => this.take(data));
  }

  private async take(data: Buffer): Promise<void> {
    if (data.length === 0) return;
    if (performance.now() - this.claimedAt > DOUBTFUL_MS) await this.renew();
    this.writer ??= await this.stores.objects.open({ id: this.upload.id, size: this.stored, state: this.state });
    const { checkpointBytes } = this.stores.objects;
    for (let rest = data; rest.length > 0;) {
      const piece = rest.subarray(0, checkpointBytes - (this.position % checkpointBytes));
      rest = rest.subarray(piece.length);
      this.running?.hash.update(piece);
      await this.writer.write(piece);
      this.position += piece.length;
      if (this.isDue || this.position % checkpointBytes === 0) await this.checkpointBeside();
    }
  }

  /**
   * Makes all that was taken durable, records it, and gives the claim back. Never rejects.
   * @returns bytes stored: fewer than were taken where the store or the database failed
   */
  async keep(): Promise<number> {
    try {
      await this.work;
      await this.checkpoint(true);
      if (this.running) this.stores.hashes.keep(this.upload.id, { ...this.running, bytes: this.position });
      await this.close();
    } catch {
      await this.leave();
    }
    return this.stored;
  }

  /** Forgets what is not recorded, and gives the claim back. Never rejects. */
  async leave(): Promise<void> {
    await this.close();
    if (this.before) this.stores.hashes.keep(this.upload.id, this.before);
    await this.release().catch(() => void this.releaseLater());
  }

  private release(): Promise<void> {
    return this.stores.uploads.release(this.upload.tenant, this.upload.id, this.writerId);
  }

  /** A database that is away for a moment keeps nobody out for as long as a claim lasts. */
  private async releaseLater(): Promise<void> {
    for (let waitedMs = 0; waitedMs < CLAIM_SECONDS * 1000; waitedMs += RELEASE_AGAIN_MS) {
      await sleep(RELEASE_AGAIN_MS, undefined, { ref: false });
      const released = await this.release().then(
        () => true,
        () => false,
      );
      if (released) return;
    }
  }

  /** Ends the upload with all that is stored of it. Never rejects: what stays expires. */
  async drop(): Promise<void> {
    await this.close();
    await this.stores.uploads.drop(this.upload.tenant, this.upload.id, this.writerId).catch(() => undefined);
  }

  /**
   * Makes a file of it.
   * @param expected what the hash must be, as far as that is known
   * @throws RuleError DIGEST_MISMATCH; UPLOAD_BUSY (another writer has followed); as `write`
   */
  complete(expected: readonly (Buffer | undefined)[], implicit = false): Promise<StoredFile> {
    return this.whileBusy(() => this.makeFile(expected, implicit));
  }

  private async makeFile(expected: readonly (Buffer | undefined)[], implicit: boolean): Promise<StoredFile> {
    const early = this.running?.hash.copy().digest();
    if (early) checkDigest(early, expected);
    try {
      await this.work;
      await this.checkpoint(false);
      await this.writer?.close();
      const { id, tenant, filename, contentType } = this.upload;
      const object = { id, size: this.position, state: await this.stores.objects.seal({ id, size: this.position, state: this.state }) };
      const found = early ?? (await this.read(object));
      if (!early) checkDigest(found, expected);
      const file = { tenant, id, filename, contentType, size: this.position, sha256: found, object, implicit };
      const completed = await this.stores.files.complete(file, this.writerId);
      if (!completed) throw new RuleError('UPLOAD_BUSY', undefined, { retryAfterSeconds: 1 });
      return completed;
    } finally {
      await this.close();
    }
  }

  private async read(object: Parameters<ObjectStore['read']>[0]): Promise<Buffer> {
    const hash = createHash('sha256');
    for await (const piece of this.stores.objects.read(object, 0, object.size)) hash.update(piece);
    return hash.digest();
  }

  /** Receiving goes on while what has been received is made durable; one checkpoint at a time. */
  private async checkpointBeside(): Promise<void> {
    if (this.atomic) return;
    await this.work;
    this.begin(this.checkpoint(false));
  }

  /** Begun while nothing is being written: it is of `position` bytes, and what comes later is under the next one. */
  private async checkpoint(release: boolean): Promise<void> {
    this.isDue = false;
    const size = this.position;
    const began = performance.now();
    const state = this.writer ? await this.writer.checkpoint() : this.state;
    const object = { id: this.upload.id, size, state };
    await this.stores.uploads.keep(this.upload.tenant, this.writerId, { object, totalSize: this.totalSize }, release);
    this.stored = size;
    this.state = state;
    this.claimedAt = began;
  }

  private async renew(): Promise<void> {
    const began = performance.now();
    await this.stores.uploads.renew(this.upload.tenant, this.upload.id, this.writerId);
    this.claimedAt = began;
  }

  /** A writer to whom nothing comes holds on to nothing: its client may be gone, and another may want to go on. */
  private tick(): void {
    if (this.working) return;
    const moved = this.position !== this.movedTo;
    this.movedTo = this.position;
    // In the middle of a write nobody can say which bytes a checkpoint would be of: it follows the write.
    this.isDue ||= moved && !this.atomic;
    if (this.isDue && !this.busy) this.begin(this.checkpoint(false));
    else if (moved || this.busy) this.begin(this.renew());
  }

  private async whileBusy<Result>(work: () => Promise<Result>): Promise<Result> {
    this.busy = true;
    return work().finally(() => (this.busy = false));
  }

  private begin(work: Promise<void>): void {
    this.working = true;
    this.work = work.finally(() => (this.working = false));
    // It is told to whoever writes next.
    this.work.catch(() => undefined);
  }

  private async close(): Promise<void> {
    clearInterval(this.ticker);
    await this.work.catch(() => undefined);
    await this.writer?.close();
  }
}

function checkDigest(found: Buffer, expected: readonly (Buffer | undefined)[]): void {
  const other = expected.find((digest) => digest && !digest.equals(found));
  if (!other) return;
  const description = `is ${found.toString('hex')} of what arrived, not ${other.toString('hex')}`;
  throw new RuleError('DIGEST_MISMATCH', `sha256: ${description}`, { violations: [{ field: 'sha256', description }] });
}
