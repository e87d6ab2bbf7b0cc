import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { beyondCall } from '@sky-genesis/grpc/beyond-call';
import { type ErrorReason, InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import { v7 as uuidv7 } from 'uuid';
import { checkChunk, checkUpload, firstChunkOf } from './check-upload';
import { fileNotFound, fileUuid, formatFileId, parseFileId } from './file-id';
import { FileLimits } from './file-limits';
import { fileBytesTotal, uploadStreamsTotal } from './files.metrics';
import { FileStore } from './file.store';
import { ObjectStore } from './object.store';
import { OpenHashes } from './open-hashes';
import type { StoredFile } from './stored-file';
import type { Upload } from './upload';
import type { UploadChunk, UploadStream } from './upload-chunk';
import { UploadSession } from './upload-session';
import { UploadStore } from './upload.store';

/** After these what arrived cannot become the file that was announced. */
const CONTRADICTIONS: ReadonlySet<ErrorReason> = new Set(['SIZE_MISMATCH', 'DIGEST_MISMATCH', 'FILE_TOO_LARGE']);

/** Takes a file in, piece by piece: a new one, or what is missing of one that was left. */
@Injectable()
export class UploadFile {
  private readonly hashes = new OpenHashes();

  constructor(
    private readonly uploads: UploadStore,
    private readonly files: FileStore,
    private readonly objects: ObjectStore,
    private readonly limits: FileLimits,
  ) {}

  /**
   * Reads a stream to its last chunk. It is read no faster than the store writes; memory does not depend on the file.
   *
   * Only the last chunk makes a file. However the stream ends before it, what arrived is kept, and the error's facts
   * `file_id` and `received` say from where to go on; where it contradicts what was announced, the upload is dropped.
   * @throws RuleError INVALID_ARGUMENT, FILE_NOT_FOUND, UPLOAD_BUSY, UPLOAD_COMPLETE, UPLOAD_INCOMPLETE, OFFSET_MISMATCH,
   *   SIZE_MISMATCH, DIGEST_MISMATCH, FILE_TOO_LARGE, FILE_QUOTA_EXCEEDED, STORE_FULL, STORE_UNAVAILABLE, CONTENT_LOST,
   *   DATABASE_UNAVAILABLE, CHANGE_UNKNOWN; what the stream throws
   */
  async run(stream: UploadStream, tenant: string): Promise<StoredFile> {
    const first = firstChunkOf(await stream.read());
    const writer = randomUUID();
    const upload =
      first.fileId === '' ? await this.begin(first, tenant, writer) : await this.uploads.claim(tenant, parseFileId(first.fileId), writer);
    if (!upload) return this.answerAgain(first, tenant);
    // What has arrived is kept, and the claim given back, also when its call has ended.
    return beyondCall(() => this.write(stream, first, upload, writer));
  }

  private async write(stream: UploadStream, first: UploadChunk, upload: Upload, writer: string): Promise<StoredFile> {
    const session = new UploadSession({ ...this.stores, hashes: this.hashes }, upload, writer, first.atomic);
    try {
      stream.begun(formatFileId(upload.id));
      return await this.receive(stream, first, session);
    } catch (error) {
      throw await ended(session, error, first.fileId === '');
    }
  }

  private async receive(stream: UploadStream, first: UploadChunk, session: UploadSession): Promise<StoredFile> {
    const { upload } = session;
    for (let chunk: UploadChunk | undefined = first; chunk; chunk = await stream.read()) {
      if (chunk.fileId !== '' && fileUuid(chunk.fileId) !== upload.id) throw fileNotFound();
      const known = { ...upload, totalSize: session.totalSize };
      const { totalSize, sha256 } = checkChunk(chunk, known, session.position, chunk === first, this.limits);
      if (session.committed) throw new InvalidArgumentError([{ field: 'commit', description: 'was said: no chunk may follow it' }]);
      session.totalSize = totalSize;
      await session.write(chunk.data);
      fileBytesTotal.inc({ direction: 'in' }, chunk.data.length);
      session.committed = chunk.commit;
      if (!chunk.last) continue;
      const file = await session.complete([sha256, upload.sha256]);
      uploadStreamsTotal.inc({ outcome: 'completed' });
      return file;
    }
    throw new RuleError('UPLOAD_INCOMPLETE');
  }

  private async begin(first: UploadChunk, tenant: string, writer: string): Promise<Upload> {
    const upload = checkUpload({ ...first, sha256: '' }, this.limits);
    // Before anything is stored: a first chunk that is wrong leaves nothing.
    checkChunk(first, upload, 0, true, this.limits);
    return this.uploads.create({ ...upload, tenant, id: uuidv7() }, writer);
  }

  /** Who did not get the answer to its last chunk sends that again. */
  private async answerAgain(first: UploadChunk, tenant: string): Promise<StoredFile> {
    const id = parseFileId(first.fileId);
    const file = (await this.files.find(tenant, [id])).get(id);
    if (!file) throw fileNotFound();
    if (!first.last || first.data.length > 0) throw new RuleError('UPLOAD_COMPLETE');
    const { sha256 } = checkChunk(first, { ...file, totalSize: file.size }, file.size, true, this.limits);
    if (sha256 && !sha256.equals(file.sha256)) throw new RuleError('UPLOAD_COMPLETE', 'the upload is complete, and its sha256 is another');
    return file;
  }

  private get stores() {
    return { uploads: this.uploads, files: this.files, objects: this.objects };
  }
}

/** Leaves the upload as it is to be left after this error, and gives what to tell of it. */
async function ended(session: UploadSession, error: unknown, isNew: boolean): Promise<unknown> {
  const reason = error instanceof RuleError ? error.reason : undefined;
  const isOfNoUse = isNew && session.position === 0 && reason === 'INVALID_ARGUMENT';
  if (isOfNoUse || (reason && CONTRADICTIONS.has(reason))) {
    await session.drop();
    uploadStreamsTotal.inc({ outcome: 'dropped' });
    return error;
  }
  uploadStreamsTotal.inc({ outcome: 'kept' });
  let stored = session.upload.object.size;
  // That a stream has ended says nothing: one that is cancelled may look so.
  if (session.atomic && !session.committed) await session.leave();
  else stored = await session.keep();
  return error instanceof RuleError ? error.withFacts({ file_id: formatFileId(session.upload.id), received: String(stored) }) : error;
}
