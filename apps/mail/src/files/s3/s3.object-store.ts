import { ObjectStore, type ObjectState, type ObjectWriter, type StoredObject } from '../object.store';
import { checkObjectId } from '../object-id';
import { contentLost, isContentLost } from '../store-error';
import { S3ObjectClient } from './s3-object.client';
import { S3ObjectReader } from './s3-object.reader';
import { S3ObjectWriter } from './s3-object.writer';
import type { S3Settings } from './s3.settings';
import { partBytesFor, type S3Upload, tailKey, tailKeys, toUpload, uploadedBytes } from './s3-upload';

const REMOVED_AT_ONCE = 16;

/**
 * Keeps each object under one key of a bucket: as a multipart upload while it is written. What does not fill a part is kept
 * at a checkpoint as an object of its own, the tail.
 */
export class S3ObjectStore extends ObjectStore {
  readonly checkpointBytes: number;
  private readonly client: S3ObjectClient;
  private readonly reader: S3ObjectReader;
  private readonly prefix: string;

  constructor(settings: S3Settings) {
    super();
    this.client = new S3ObjectClient(settings);
    this.reader = new S3ObjectReader(this.client);
    this.checkpointBytes = partBytesFor(settings.FILES_MAX_BYTES);
    this.prefix = settings.S3_KEY_PREFIX;
  }

  async open(object: StoredObject): Promise<ObjectWriter> {
    const key = this.key(object.id);
    const upload = toUpload(object.state, this.checkpointBytes);
    const sealed = await this.isSealed(key, object.size, upload);
    return new S3ObjectWriter(this.client, key, upload, await this.tail(key, object.size, upload), sealed);
  }

  async seal(object: StoredObject): Promise<ObjectState> {
    const key = this.key(object.id);
    const upload = toUpload(object.state, this.checkpointBytes);
    // The seal was recorded already: there is nothing left of the upload.
    if (uploadedBytes(upload) !== object.size) return this.sealed(key, object.size);
    const tail = await this.tail(key, object.size, upload);
    if (upload.parts.length === 0) await this.client.put(key, tail);
    else await this.complete(key, object.size, upload, tail);
    // What is left behind is in nobody's way, and goes with the object.
    await this.sweep(key, upload).catch(() => undefined);
    return {};
  }

  async *read(object: StoredObject, offset: number, length: number): AsyncGenerator<Buffer, void, undefined> {
    yield* this.reader.pieces(this.key(object.id), offset, length);
  }

  async remove(object: Pick<StoredObject, 'id' | 'state'>): Promise<void> {
    const key = this.key(object.id);
    const { uploadId } = toUpload(object.state, this.checkpointBytes);
    if (uploadId !== undefined) await this.client.abortUpload(key, uploadId);
    await this.client.abortUploads(key);
    await this.client.remove(key);
    await this.removeTails(key);
  }

  private key(id: string): string {
    return this.prefix + checkObjectId(id);
  }

  private async sealed(key: string, size: number): Promise<ObjectState> {
    if ((await this.client.size(key)) !== size) throw contentLost(new Error('neither the object nor an upload of it is there'));
    return {};
  }

  /** Whether the upload has become the object already, which was not recorded. @throws RuleError CONTENT_LOST for neither of both */
  private async isSealed(key: string, size: number, { uploadId, parts }: S3Upload): Promise<boolean> {
    if (parts.length === 0 || (await this.client.hasUpload(key, uploadId!))) return false;
    if ((await this.client.size(key)) === size) return true;
    throw contentLost(new Error('the multipart upload is gone'));
  }

  /** The bytes behind the parts. After a seal that was not recorded they are in the object alone. */
  private async tail(key: string, size: number, { parts, tail }: S3Upload): Promise<Buffer> {
    if (tail === 0) return Buffer.alloc(0);
    try {
      return await this.reader.whole(tailKey(key, parts.length), 0, tail);
    } catch (error) {
      if (!isContentLost(error)) throw error;
      return this.reader.whole(key, size - tail, tail);
    }
  }

  private async complete(key: string, size: number, { uploadId, parts }: S3Upload, tail: Buffer): Promise<void> {
    try {
      const last = tail.length > 0 ? [await this.client.putPart(key, uploadId!, parts.length + 1, tail)] : [];
      await this.client.completeUpload(key, uploadId!, [...parts, ...last]);
    } catch (error) {
      if (!isContentLost(error) || (await this.client.size(key)) !== size) throw error;
    }
  }

  private async sweep(key: string, { parts, tail }: S3Upload): Promise<void> {
    if (parts.length === 0) {
      if (tail > 0) await this.client.remove(tailKey(key, 0));
      return;
    }
    await this.client.abortUploads(key);
    await this.removeTails(key);
  }

  private async removeTails(key: string): Promise<void> {
    for await (const keys of this.client.keys(tailKeys(key))) {
      for (let at = 0; at < keys.length; at += REMOVED_AT_ONCE) {
        await Promise.all(keys.slice(at, at + REMOVED_AT_ONCE).map((tail) => this.client.remove(tail)));
      }
    }
  }
}
