import { type CallOptions, type FilesClient, RuleError } from '@sky-genesis/grpc';
import type { UploadResponse } from '@sky-genesis/proto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { arrivingChunks } from '../http/arriving-chunks';
import { askForBody } from '../http/expect-continue.hook';
import { declaredType } from '../http/media-types.hook';
import { outlivingClient } from '../http/request-context.hook';
import { BodyDigests } from './digests';
import { fileChunks } from './file-chunks';
import { filenameIn, toCreateUploadRequest } from './files.mapper';
import { isMultipart, openFilePart } from './multipart-body';

export interface UploadSettings {
  /** How long nothing of the body may arrive while it is waited for. */
  idleMs: number;
  /** How long a call may take that goes on when the client is gone. */
  timeoutMs: number;
}

/** What a body turned out to hold. */
interface NewFile {
  filename: string;
  contentType: string;
  /** 0: not known. */
  totalSize: number;
  content: AsyncIterable<Buffer>;
}

/** Takes the body of one request as one file, whole or not at all. */
export class UploadHandler {
  constructor(
    private readonly files: FilesClient,
    private readonly settings: UploadSettings,
  ) {}

  /**
   * @param filename where the body does not bring one
   * @throws RuleError; nothing is left of the file then
   */
  async take(request: FastifyRequest, reply: FastifyReply, filename: string, call: CallOptions): Promise<UploadResponse> {
    const contentType = declaredType(request) ?? '';
    const digests = new BodyDigests(request.headers);
    const ending = new AbortController();
    const body = digests.checked(arrivingChunks(request.raw, this.settings.idleMs, ending.signal));
    try {
      if (isMultipart(contentType)) {
        askForBody(request, reply);
        const part = await openFilePart(body, contentType, ending.signal);
        return await this.store({ ...part, filename: part.filename || filename, totalSize: 0 }, call);
      }
      const totalSize = Number(request.headers['content-length'] ?? 0);
      const name = filenameIn(request.headers['content-disposition']) ?? filename;
      return await this.store({ filename: name, contentType, totalSize, content: body }, call, () => askForBody(request, reply));
    } finally {
      // The rest of the body is not waited for any more.
      ending.abort(new RuleError('CANCELLED'));
    }
  }

  /** @param begins called when the service has room for the file, before its content is read */
  private async store({ content, ...file }: NewFile, call: CallOptions, begins?: () => void): Promise<UploadResponse> {
    // Even of a client that is gone the id must be known, to remove what there is of it.
    const { fileId } = await outlivingClient(this.settings.timeoutMs, () => this.files.createUpload(toCreateUploadRequest(file), call));
    try {
      begins?.();
      const chunks = fileChunks(content, { fileId, offset: 0, totalSize: file.totalSize, isWhole: () => true });
      return await this.files.uploadFile(chunks, call);
    } catch (error) {
      await this.remove(fileId, call);
      throw error;
    }
  }

  /** What cannot be removed now is dropped by the service, when nothing more of it has come for long enough. */
  async remove(fileId: string, { authorization }: CallOptions): Promise<void> {
    await outlivingClient(this.settings.timeoutMs, () => this.files.deleteFile({ fileId }, { authorization })).catch(() => undefined);
  }
}
