import { Injectable } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { checkUpload } from './check-upload';
import { fileNotFound } from './file-id';
import { FileLimits } from './file-limits';
import { FileStore } from './file.store';
import type { StoredFile } from './stored-file';
import type { Upload, UploadProgress } from './upload';
import type { UploadDraft } from './upload-chunk';
import { UploadStore } from './upload.store';

/** Uploads beside their bytes: begun, looked at, ended; and the files that they become. */
@Injectable()
export class Uploads {
  constructor(
    private readonly uploads: UploadStore,
    private readonly files: FileStore,
    private readonly limits: FileLimits,
  ) {}

  /** @throws RuleError INVALID_ARGUMENT, FILE_TOO_LARGE, FILE_QUOTA_EXCEEDED */
  async create(tenant: string, draft: UploadDraft): Promise<UploadProgress> {
    return progressOf(await this.uploads.create({ ...checkUpload(draft, this.limits), tenant, id: uuidv7() }, null));
  }

  /** How far it has come, also when it has become a file. @throws RuleError FILE_NOT_FOUND */
  async progress(tenant: string, id: string): Promise<UploadProgress> {
    const upload = await this.uploads.find(tenant, id);
    // It may be completed between the two.
    return upload ? progressOf(upload) : progressOfFile(await this.file(tenant, id));
  }

  /** @throws RuleError FILE_NOT_FOUND */
  async file(tenant: string, id: string): Promise<StoredFile> {
    const file = (await this.files.find(tenant, [id])).get(id);
    if (!file) throw fileNotFound();
    return file;
  }

  /**
   * Ends an upload, or removes a file.
   * @returns whether there was one
   * @throws RuleError FILE_IN_USE
   */
  async delete(tenant: string, id: string): Promise<boolean> {
    return (await this.uploads.drop(tenant, id, null)) || this.files.delete(tenant, id);
  }
}

const progressOf = ({ id, filename, contentType, totalSize, object, expiresAt }: Upload): UploadProgress => {
  return { id, filename, contentType, totalSize, received: object.size, complete: false, expiresAt };
};

const progressOfFile = ({ id, filename, contentType, size }: StoredFile): UploadProgress => {
  return { id, filename, contentType, totalSize: size, received: size, complete: true, expiresAt: undefined };
};
