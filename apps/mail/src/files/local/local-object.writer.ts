import type { FileHandle } from 'node:fs/promises';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import type { ObjectState, ObjectWriter } from '../object.store';
import { storeFull, storeUnavailable } from '../store-error';
import { hasCode, syncFolder } from './durable-files';

/** Writes a file piece by piece; one piece is on its way while the next is received. */
export class LocalObjectWriter implements ObjectWriter {
  private failure: Error | undefined;
  private writing: Promise<void> = Promise.resolve();
  private syncing: Promise<void> = Promise.resolve();
  private folderSynced = false;

  /**
   * @param position where the next piece goes
   * @param folder of the file: what is in it is made durable by the first checkpoint
   */
  constructor(
    private readonly file: FileHandle,
    private position: number,
    private readonly folder: string,
  ) {}

  async write(data: Buffer): Promise<void> {
    await this.writing;
    if (this.failure) throw this.failure;
    const { position } = this;
    this.position += data.length;
    this.writing = this.kept(writeAll(this.file, data, position));
  }

  async checkpoint(): Promise<ObjectState> {
    this.syncing = this.kept(this.sync(this.writing));
    await this.syncing;
    return {};
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.writing, this.syncing]);
    await this.file.close().catch(() => undefined);
  }

  /** @param written all that is to be under the checkpoint */
  private async sync(written: Promise<void>): Promise<void> {
    await written;
    // After a failure the system may call pages clean that never reached the disk: no later checkpoint can be trusted.
    if (this.failure) throw this.failure;
    await this.file.datasync();
    if (this.folderSynced) return;
    await syncFolder(this.folder);
    this.folderSynced = true;
  }

  /** What fails is told to whoever waits for it, and to every later call. */
  private kept(work: Promise<void>): Promise<void> {
    const kept = work.catch((error: unknown) => {
      throw (this.failure ??= fileError(error));
    });
    kept.catch(() => undefined);
    return kept;
  }
}

async function writeAll(file: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let written = 0; written < data.length;) {
    written += (await file.write(data, written, data.length - written, position + written)).bytesWritten;
  }
}

/** What the file system failed with, in the words of the port. What has no code is a defect of ours, and stays as it is. */
export function fileError(error: unknown): Error {
  if (error instanceof RuleError || !('code' in (error as Error))) return error as Error;
  return hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG') ? storeFull(error) : storeUnavailable(error);
}
