import { createHash, randomUUID } from 'node:crypto';
import type { ServerReadableStream, ServerWritableStream } from '@grpc/grpc-js';
import { InvalidArgumentError, RuleError, toStatus } from '@sky-genesis/grpc';
import type {
  CreateUploadRequest,
  DeleteFileResponse,
  DownloadRequest,
  File,
  FileChunk,
  UploadResponse,
  UploadStatus,
} from '@sky-genesis/proto';
import { FakeGrpcService } from './fake-grpc.service';

const CHUNK_BYTES = 65_536;
const EXPIRY_SECONDS = 86_400;
// eslint-disable-next-line no-control-regex -- control characters are what it excludes
const WRONG_NAME = /[/\\\u0000-\u001f\u007f]|^.{256,}$/su;

export interface StoredUpload {
  fileId: string;
  filename: string;
  contentType: string;
  /** 0: not known. */
  totalSize: number;
  /** What is kept of it. */
  pieces: Buffer[];
  complete: boolean;
  busy: boolean;
  expiresAt: number;
}

type Upload = ServerReadableStream<FileChunk, UploadResponse>;
type Done = (error: object | null, response?: UploadResponse) => void;

/** StreamingService in memory, by its contract: what arrived is kept, of an atomic stream once it is committed. */
export class FakeFilesService extends FakeGrpcService {
  readonly uploads = new Map<string, StoredUpload>();
  /** Attachments by `message_id/index`. */
  readonly attachments = new Map<string, StoredUpload>();
  /** Of all uploads, what was read of their streams; of all downloads, what was written to theirs. */
  receivedBytes = 0;
  sentBytes = 0;
  chunks: { bytes: number; last: boolean }[] = [];
  /** Waited for before each chunk of an upload is looked at. */
  beforeChunk: (chunk: FileChunk) => unknown = () => undefined;
  /** Waited for before each chunk of a download is sent, `sent` bytes after its beginning; what it throws ends the stream. */
  beforeSend: (sent: number) => unknown = () => undefined;
  /** Where a download ends as if all were well, in bytes from its beginning. */
  endAfter = Infinity;
  inUse = new Set<string>();

  constructor() {
    super('StreamingService');
  }

  /** Forgets everything, and what a test made of it. */
  reset(): void {
    for (const map of [this.uploads, this.attachments]) map.clear();
    this.inUse.clear();
    this.calls.splice(0);
    this.chunks = [];
    this.receivedBytes = this.sentBytes = 0;
    this.endAfter = Infinity;
    this.beforeChunk = this.beforeSend = () => undefined;
  }

  /** A file as if it had been uploaded. */
  put(content: Buffer, { filename = '', contentType = 'application/octet-stream' } = {}): StoredUpload {
    const file = {
      ...this.create({ filename, contentType, totalSize: String(content.length), sha256: '' }),
      pieces: [content],
      complete: true,
    };
    this.uploads.set(file.fileId, file);
    return file;
  }

  /** The one file or upload that there is. */
  get only(): StoredUpload {
    const [only, another] = this.uploads.values();
    if (!only || another) throw new Error(`there are ${this.uploads.size} files and uploads`);
    return only;
  }

  protected handlers() {
    return {
      CreateUpload: this.unary('createUpload', () => (request: CreateUploadRequest) => statusOf(this.create(request))),
      GetUpload: this.unary(
        'getUpload',
        () =>
          ({ fileId }: { fileId: string }) =>
            statusOf(this.find(fileId)),
      ),
      GetFile: this.unary(
        'getFile',
        () =>
          ({ fileId }: { fileId: string }) =>
            fileOf(this.findFile(fileId)),
      ),
      DeleteFile: this.unary(
        'deleteFile',
        () =>
          ({ fileId }: { fileId: string }) =>
            this.remove(fileId),
      ),
      UploadFile: (call: Upload, done: Done) => {
        this.receive('uploadFile', call, undefined);
        this.upload(call).then(
          (response) => done(null, response),
          (error: unknown) => done(toStatus(error)),
        );
      },
      DownloadFile: this.stream('downloadFile', () => (call: ServerWritableStream<DownloadRequest, Partial<FileChunk>>) => {
        this.download(call).then(
          () => call.end(),
          (error: unknown) => call.emit('error', toStatus(error)),
        );
      }),
    };
  }

  private create({ filename, contentType, totalSize }: CreateUploadRequest): StoredUpload {
    if (WRONG_NAME.test(filename)) throw new InvalidArgumentError([{ field: 'filename', description: 'must be a name' }]);
    const upload: StoredUpload = {
      fileId: `file_${randomUUID()}`,
      filename,
      contentType: contentType || 'application/octet-stream',
      totalSize: Number(totalSize),
      pieces: [],
      complete: false,
      busy: false,
      expiresAt: expiry(),
    };
    this.uploads.set(upload.fileId, upload);
    return upload;
  }

  private async upload(call: Upload): Promise<UploadResponse> {
    let upload: StoredUpload | undefined;
    let atomic = false;
    const pieces: Buffer[] = [];
    const keep = () => {
      upload?.pieces.push(...pieces.splice(0));
      if (upload) upload.expiresAt = expiry();
    };
    try {
      let end = 0;
      for await (const chunk of call as AsyncIterable<FileChunk>) {
        await this.beforeChunk(chunk);
        this.receivedBytes += chunk.data.length;
        this.chunks.push({ bytes: chunk.data.length, last: chunk.last });
        if (!upload) {
          upload = this.begin(chunk);
          if (upload.complete) return responseOf(upload);
          atomic = chunk.atomic;
          end = sizeOf(upload);
        }
        upload.totalSize ||= Number(chunk.totalSize);
        if (Number(chunk.offset) !== end) throw this.offsetMismatch(upload, chunk);
        if (chunk.data.length > 1_048_576) throw new RuleError('MESSAGE_TOO_LARGE');
        end += chunk.data.length;
        if (upload.totalSize > 0 && (end > upload.totalSize || (chunk.last && end < upload.totalSize))) {
          this.uploads.delete(upload.fileId);
          throw new RuleError('SIZE_MISMATCH', `${end} bytes arrived, and ${upload.totalSize} were announced`);
        }
        pieces.push(Buffer.from(chunk.data));
        if (!atomic || chunk.commit) keep();
        if (!chunk.last) continue;
        keep();
        upload.complete = true;
        return responseOf(upload);
      }
      if (call.cancelled) throw new RuleError('CANCELLED');
    } finally {
      if (upload) upload.busy = false;
    }
    if (!upload) throw new InvalidArgumentError([{ field: 'file_id', description: 'is required' }]);
    const facts = { file_id: upload.fileId, received: String(sizeOf(upload)) };
    throw new RuleError('UPLOAD_INCOMPLETE', undefined, { facts });
  }

  private begin(chunk: FileChunk): StoredUpload {
    const upload = chunk.fileId ? this.find(chunk.fileId) : this.create({ ...chunk });
    if (upload.complete) {
      if (chunk.last && chunk.data.length === 0 && Number(chunk.offset) === sizeOf(upload)) return upload;
      throw new RuleError('UPLOAD_COMPLETE');
    }
    if (upload.busy) throw new RuleError('UPLOAD_BUSY');
    upload.busy = true;
    return upload;
  }

  private offsetMismatch(upload: StoredUpload, { offset }: FileChunk): RuleError {
    const facts = { file_id: upload.fileId, received: String(sizeOf(upload)) };
    return new RuleError('OFFSET_MISMATCH', `the chunk begins at ${offset}`, { facts });
  }

  private async download(call: ServerWritableStream<DownloadRequest, Partial<FileChunk>>): Promise<void> {
    const { fileId, messageId, attachmentIndex, offset, length } = call.request;
    const file = messageId ? this.attachments.get(`${messageId}/${attachmentIndex}`) : this.findFile(fileId);
    if (!file) throw new RuleError('ATTACHMENT_NOT_FOUND');
    const content = contentOf(file);
    const start = Number(offset);
    if (start > content.length) throw new RuleError('RANGE_NOT_SATISFIABLE');
    const end = Number(length) === 0 ? content.length : Math.min(content.length, start + Number(length));
    let at = start;
    do {
      await this.beforeSend(at - start);
      if (call.cancelled || at - start >= this.endAfter) return;
      const data = content.subarray(at, Math.min(end, at + CHUNK_BYTES));
      const head = at === start ? { ...fileOf(file), totalSize: String(content.length) } : {};
      at += data.length;
      this.sentBytes += data.length;
      if (!call.write({ ...head, offset: String(at - data.length), data, last: at === end })) await drainOf(call);
    } while (at < end);
  }

  private remove(fileId: string): DeleteFileResponse {
    if (this.inUse.has(fileId)) throw new RuleError('FILE_IN_USE');
    return { deleted: this.uploads.delete(fileId) };
  }

  private find(fileId: string): StoredUpload {
    const upload = this.uploads.get(fileId);
    if (!upload || (!upload.complete && upload.expiresAt * 1000 <= Date.now())) throw new RuleError('FILE_NOT_FOUND');
    return upload;
  }

  private findFile(fileId: string): StoredUpload {
    const file = this.find(fileId);
    if (!file.complete) throw new RuleError('FILE_NOT_FOUND');
    return file;
  }
}

/** Or its end. */
const drainOf = (call: ServerWritableStream<unknown, unknown>) =>
  new Promise<void>((resolve) => {
    const over = () => {
      call.off('drain', over).off('cancelled', over);
      resolve();
    };
    call.once('drain', over).once('cancelled', over);
  });

const expiry = () => Math.floor(Date.now() / 1000) + EXPIRY_SECONDS;
export const sha256Of = (content: Buffer) => createHash('sha256').update(content).digest('hex');

export const contentOf = ({ pieces }: StoredUpload) => Buffer.concat(pieces);
export const sizeOf = ({ pieces }: StoredUpload) => pieces.reduce((sum, { length }) => sum + length, 0);

const statusOf = (upload: StoredUpload): UploadStatus => ({
  fileId: upload.fileId,
  received: String(sizeOf(upload)),
  complete: upload.complete,
  totalSize: String(upload.complete ? sizeOf(upload) : upload.totalSize),
  filename: upload.filename,
  contentType: upload.contentType,
  expiresAt: upload.complete ? '0' : String(upload.expiresAt),
});

const fileOf = (file: StoredUpload): File => ({
  fileId: file.fileId,
  filename: file.filename,
  contentType: file.contentType,
  size: String(sizeOf(file)),
  sha256: sha256Of(contentOf(file)),
  createdAt: '1640995200',
});

const responseOf = (file: StoredUpload): UploadResponse => ({
  fileId: file.fileId,
  size: String(sizeOf(file)),
  sha256: sha256Of(contentOf(file)),
});
