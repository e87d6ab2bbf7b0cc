import { type CallOptions, type FilesClient, RuleError } from '@sky-genesis/grpc';
import type { FileChunk, UploadStatus } from '@sky-genesis/proto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { arrivingChunks } from '../../http/arriving-chunks';
import { askForBody } from '../../http/expect-continue.hook';
import { declaredType } from '../../http/media-types.hook';
import { outlivingClient } from '../../http/request-context.hook';
import { fileChunks, type PartOfFile } from '../file-chunks';
import { toCreateUploadRequest } from '../files.mapper';
import type { UploadHandler, UploadSettings } from '../upload.handler';
import { bytesIn, checked, readChecksum, readCreation, TUS_MEDIA_TYPE } from './tus-headers';
import { UnsurePiece, within } from './tus-piece';

/** How far an upload has come, as tus tells it. */
export interface Progress {
  fileId: string;
  offset: number;
  /** Undefined: not said yet. */
  length: number | undefined;
  /** In unix seconds; 0: it is complete. */
  expiresAt: number;
  filename: string;
  contentType: string;
}

/** Uploads in pieces by the tus protocol. That the last piece was the last is found here: tus has no word for it. */
export class TusHandler {
  constructor(
    private readonly files: FilesClient,
    private readonly uploads: UploadHandler,
    private readonly settings: UploadSettings,
  ) {}

  async create(request: FastifyRequest, reply: FastifyReply, call: CallOptions): Promise<Progress> {
    const { length, filename, contentType } = readCreation(request.headers);
    const withBody = hasBody(request);
    if (withBody) requireMediaType(request);
    const asked = toCreateUploadRequest({ filename, contentType, totalSize: length ?? 0 });
    const status = await this.files.createUpload(asked, call);
    if (!withBody && length !== 0) return progressOf(status);
    try {
      return await this.append(status, length, request, reply, call);
    } catch (error) {
      // The client was not told where it is.
      await this.uploads.remove(status.fileId, call);
      throw error;
    }
  }

  /** Also completes an upload whose bytes are all there: it had no chance to say which were the last. */
  async progress(fileId: string, call: CallOptions): Promise<Progress> {
    const status = await this.files.getUpload({ fileId }, call);
    const received = Number(status.received);
    if (status.complete || received === 0 || received !== Number(status.totalSize)) return progressOf(status);
    const nothing = fileChunks(noBytes(), { fileId, offset: received, totalSize: received, isWhole: () => true });
    const { size } = await this.files.uploadFile(nothing, call);
    return progressOf({ ...status, received: size, complete: true });
  }

  async patch(fileId: string, request: FastifyRequest, reply: FastifyReply, call: CallOptions): Promise<Progress> {
    requireMediaType(request);
    const offset = bytesIn(request.headers, 'Upload-Offset');
    const status = await this.files.getUpload({ fileId }, call);
    if (offset !== Number(status.received)) {
      const facts = { file_id: status.fileId, received: status.received };
      throw new RuleError('OFFSET_MISMATCH', `Upload-Offset is ${offset ?? 'missing'}, and ${status.received} bytes are there`, { facts });
    }
    if (status.complete) {
      if (hasBody(request)) throw new RuleError('UPLOAD_COMPLETE');
      return progressOf(status);
    }
    return this.append(status, lengthOf(status) ?? bytesIn(request.headers, 'Upload-Length'), request, reply, call);
  }

  private async append(
    status: UploadStatus,
    length: number | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
    call: CallOptions,
  ): Promise<Progress> {
    const checksum = readChecksum(request.headers);
    const offset = Number(status.received);
    const ending = new AbortController();
    askForBody(request, reply);
    const arriving = arrivingChunks(request.raw, this.settings.idleMs, ending.signal);
    const piece = within(length === undefined ? undefined : length - offset, arriving);
    const part: PartOfFile = {
      fileId: status.fileId,
      offset,
      totalSize: length ?? 0,
      atomic: checksum !== undefined,
      isWhole: (end) => end === length,
    };
    const unsure = new UnsurePiece();
    const chunks = checksum ? unsure.keptWhole(fileChunks(checked(checksum, piece), part)) : fileChunks(unsure.keptInPart(piece), part);
    try {
      const progress = await outlivingClient(this.settings.timeoutMs, () => this.store(chunks, status, call));
      if (unsure.failure) throw unsure.failure;
      return progress;
    } catch (error) {
      throw unsure.failure ?? error;
    } finally {
      ending.abort(new RuleError('CANCELLED'));
    }
  }

  /** A stream that ends in order before the last byte is what most pieces are: how far it came is asked for. */
  private async store(chunks: AsyncIterable<FileChunk>, status: UploadStatus, call: CallOptions): Promise<Progress> {
    try {
      const { size } = await this.files.uploadFile(chunks, call);
      return progressOf({ ...status, received: size, complete: true });
    } catch (error) {
      if (!(error instanceof RuleError) || error.reason !== 'UPLOAD_INCOMPLETE') throw error;
      return progressOf(await this.files.getUpload({ fileId: status.fileId }, call));
    }
  }
}

async function* noBytes(): AsyncGenerator<Buffer> {}

function requireMediaType(request: FastifyRequest): void {
  if (declaredType(request)?.toLowerCase() === TUS_MEDIA_TYPE) return;
  throw new RuleError('UNSUPPORTED_MEDIA_TYPE', `Content-Type: must be ${TUS_MEDIA_TYPE}`);
}

const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

const lengthOf = ({ complete, received, totalSize }: UploadStatus): number | undefined =>
  complete ? Number(received) : Number(totalSize) || undefined;

const progressOf = (status: UploadStatus): Progress => ({
  fileId: status.fileId,
  offset: Number(status.received),
  length: lengthOf(status),
  expiresAt: status.complete ? 0 : Number(status.expiresAt),
  filename: status.filename,
  contentType: status.contentType,
});
