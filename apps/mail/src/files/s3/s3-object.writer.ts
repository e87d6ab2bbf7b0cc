import type { RuleError } from '@sky-genesis/grpc/rule-error';
import type { ObjectState, ObjectWriter } from '../object.store';
import { s3Error } from './s3-error';
import type { S3ObjectClient } from './s3-object.client';
import { type S3Upload, tailKey } from './s3-upload';

const MIN_BUFFER_BYTES = 64 * 1024;
const EMPTY: Buffer = Buffer.alloc(0);

/** Fills one part while at most one other is on its way. */
export class S3ObjectWriter implements ObjectWriter {
  private readonly closing = new AbortController();
  private readonly parts: string[];
  private uploadId: string | undefined;
  /** Of which `filled` bytes are the beginning of the next part. */
  private buffer: Buffer;
  private filled: number;
  /** Of the part that was on its way before, to be used again. */
  private spare = EMPTY;
  /** Parts that are stored or on their way. */
  private begun: number;
  private failure: RuleError | undefined;
  private partOnItsWay: Promise<unknown> = Promise.resolve();
  private tailOnItsWay: Promise<unknown> = Promise.resolve();

  /**
   * @param tail the bytes behind the parts
   * @param sealed the parts are those of an object that is whole already; its upload is gone
   */
  constructor(
    private readonly client: S3ObjectClient,
    private readonly key: string,
    private readonly upload: S3Upload,
    tail: Buffer,
    private sealed: boolean,
  ) {
    this.parts = [...upload.parts];
    this.uploadId = upload.uploadId;
    this.begun = upload.parts.length;
    this.buffer = tail;
    this.filled = tail.length;
  }

  async write(data: Buffer): Promise<void> {
    if (this.failure) throw this.failure;
    if (this.sealed) await this.kept(this.unseal());
    for (let at = 0; at < data.length;) {
      this.makeRoom(data.length - at);
      const copied = data.copy(this.buffer, this.filled, at, at + this.upload.partBytes - this.filled);
      at += copied;
      this.filled += copied;
      if (this.filled === this.upload.partBytes) await this.sendPart();
    }
  }

  async checkpoint(): Promise<ObjectState> {
    if (this.failure) throw this.failure;
    const { begun, filled, partOnItsWay } = this;
    if (filled > 0) {
      const tail = this.client.put(tailKey(this.key, begun), this.buffer.subarray(0, filled), this.closing.signal);
      this.tailOnItsWay = this.kept(tail);
    }
    await Promise.all([partOnItsWay, this.tailOnItsWay]);
    const { uploadId, upload, parts } = this;
    return { ...(uploadId !== undefined && { uploadId }), partBytes: upload.partBytes, parts: parts.slice(0, begun), tail: filled };
  }

  async close(): Promise<void> {
    this.closing.abort();
    await Promise.allSettled([this.partOnItsWay, this.tailOnItsWay]);
  }

  /** Small objects take little memory, large ones a whole part at once. */
  private makeRoom(bytes: number): void {
    const { partBytes } = this.upload;
    const wanted = Math.min(this.filled + bytes, partBytes);
    if (wanted <= this.buffer.length) return;
    const length = this.begun > 0 ? partBytes : Math.min(Math.max(wanted, this.buffer.length * 2, MIN_BUFFER_BYTES), partBytes);
    const larger = Buffer.allocUnsafeSlow(length);
    this.buffer.copy(larger, 0, 0, this.filled);
    this.buffer = larger;
  }

  private async sendPart(): Promise<void> {
    // The tail is of this part: it is not written over before it is stored.
    await Promise.all([this.partOnItsWay, this.tailOnItsWay]);
    const part = this.buffer;
    this.buffer = this.spare;
    this.filled = 0;
    this.spare = EMPTY;
    this.begun++;
    this.partOnItsWay = this.kept(this.storePart(part));
  }

  private async storePart(part: Buffer): Promise<void> {
    this.uploadId ??= await this.client.createUpload(this.key);
    this.parts.push(await this.client.putPart(this.key, this.uploadId, this.parts.length + 1, part, this.closing.signal));
    this.spare = part;
  }

  /** Makes parts of the whole object again, at the server. */
  private async unseal(): Promise<void> {
    const { partBytes } = this.upload;
    const uploadId = await this.client.createUpload(this.key);
    for (let part = 0; part < this.parts.length; part++) {
      this.parts[part] = await this.client.copyPart(this.key, uploadId, part + 1, part * partBytes, (part + 1) * partBytes);
    }
    this.uploadId = uploadId;
    this.sealed = false;
  }

  /** What fails is told to whoever waits for it, and to every later call. */
  private kept<T>(work: Promise<T>): Promise<T> {
    const kept = work.catch((error: unknown) => {
      throw (this.failure ??= s3Error(error));
    });
    kept.catch(() => undefined);
    return kept;
  }
}
