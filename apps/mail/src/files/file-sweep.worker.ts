import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DiscardedObjectStore } from './discarded-object.store';
import { FileLimits } from './file-limits';
import { FileStore } from './file.store';
import { ObjectStore } from './object.store';
import { UploadStore } from './upload.store';

const LONGEST_INTERVAL_MS = 5000;
const MAX_AT_ONCE = 100;

/** Ends uploads whose time is over, and removes from the store what nothing refers to. Every process does it, beside the others. */
@Injectable()
export class FileSweepWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(FileSweepWorker.name);
  private readonly intervalMs: number;
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly uploads: UploadStore,
    private readonly files: FileStore,
    private readonly discarded: DiscardedObjectStore,
    private readonly objects: ObjectStore,
    limits: FileLimits,
  ) {
    this.intervalMs = Math.min(LONGEST_INTERVAL_MS, limits.uploadExpirySeconds * 250);
  }

  onApplicationBootstrap(): void {
    this.timer = setTimeout(() => void (this.sweeping = this.work()), this.intervalMs);
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.sweeping;
  }

  /** All that is due now. */
  async sweep(): Promise<void> {
    while (!this.stopped && (await this.uploads.expire(MAX_AT_ONCE)) === MAX_AT_ONCE);
    for (const { tenant, id } of await this.files.abandoned(MAX_AT_ONCE)) await this.files.delete(tenant, id);
    for (let due = await this.discarded.take(MAX_AT_ONCE); due.length > 0 && !this.stopped; due = await this.discarded.take(MAX_AT_ONCE)) {
      for (const object of due) {
        await this.objects.remove(object);
        await this.discarded.forget(object);
      }
    }
  }

  private async work(): Promise<void> {
    try {
      await this.sweep();
    } catch (err) {
      this.logger.warn({ err }, 'what is no longer needed of files was not removed; trying again');
    }
    if (!this.stopped) this.onApplicationBootstrap();
  }
}
