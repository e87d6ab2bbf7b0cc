import { createHash, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { beyondCall } from '@sky-genesis/grpc/beyond-call';
import { v7 as uuidv7 } from 'uuid';
import { FileStore } from './file.store';
import { ObjectStore } from './object.store';
import { OpenHashes } from './open-hashes';
import type { StoredFile } from './stored-file';
import { UploadSession } from './upload-session';
import { UploadStore } from './upload.store';

/** Content that came with a mail and is too large to stand beside it. */
export interface InlineContent {
  filename: string;
  contentType: string;
  content: Uint8Array;
}

/**
 * Makes files of content that came inside a mail. One that no mail refers to after an hour is swept up. What was begun is
 * done, or taken back, also when the call has ended.
 */
@Injectable()
export class InlineFiles {
  private readonly hashes = new OpenHashes();

  constructor(
    private readonly uploads: UploadStore,
    private readonly files: FileStore,
    private readonly objects: ObjectStore,
  ) {}

  /** @throws RuleError as UploadFile.run; then nothing is kept */
  keep(tenant: string, content: InlineContent): Promise<StoredFile> {
    return beyondCall(() => this.store(tenant, content));
  }

  /** Takes back files whose mail was not accepted. Never rejects: what stays is swept up. */
  async forget(tenant: string, files: readonly StoredFile[]): Promise<void> {
    await beyondCall(() => Promise.allSettled(files.map(({ id }) => this.files.delete(tenant, id))));
  }

  private async store(tenant: string, { filename, contentType, content }: InlineContent): Promise<StoredFile> {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
    const about = { tenant, id: uuidv7(), filename, contentType };
    const sha256 = createHash('sha256').update(bytes).digest();
    const copy = await this.files.copyOf({ ...about, sha256, implicit: true });
    if (copy) return copy;
    const writer = randomUUID();
    const upload = await this.uploads.create({ ...about, totalSize: bytes.length, sha256 }, writer);
    const stores = { uploads: this.uploads, files: this.files, objects: this.objects, hashes: this.hashes };
    const session = new UploadSession(stores, upload, writer, false);
    try {
      await session.write(bytes);
      return await session.complete([sha256], true);
    } catch (error) {
      await session.drop();
      throw error;
    }
  }
}
