import type {
  CreateUploadRequest,
  DeleteFileRequest,
  DeleteFileResponse,
  DownloadRequest,
  File,
  FileChunk,
  GetFileRequest,
  GetUploadRequest,
  UploadResponse,
  UploadStatus,
} from '@sky-genesis/proto';
import type { CallOptions } from './grpc-client';
import type { StreamOptions } from './grpc-stream.client';
import type { ServiceChannel } from './service.channel';
import { countedBytes, countedRequests } from './young-buffers';

/** StreamingService as seen by its callers: the only place where they meet. */
export class FilesClient {
  constructor(private readonly channel: ServiceChannel) {}

  /** As `sendAll`. To end the chunks before the last one is to keep what was sent: UPLOAD_INCOMPLETE says up to where. */
  uploadFile(chunks: AsyncIterable<FileChunk>, options: StreamOptions): Promise<UploadResponse> {
    return this.channel.send('uploadFile', countedRequests(chunks), options);
  }

  /** Begins with the first `next()`. As `responsesOf`; a chunk is read when it is asked for, none ahead. */
  downloadFile(request: DownloadRequest, options: StreamOptions): AsyncGenerator<FileChunk, void, undefined> {
    return countedBytes(this.channel.responses<FileChunk>('downloadFile', request, { ...options, noneAhead: true }));
  }

  createUpload(request: CreateUploadRequest, options: CallOptions): Promise<UploadStatus> {
    return this.channel.call('createUpload', request, options);
  }

  getUpload(request: GetUploadRequest, options: CallOptions): Promise<UploadStatus> {
    return this.channel.call('getUpload', request, options);
  }

  getFile(request: GetFileRequest, options: CallOptions): Promise<File> {
    return this.channel.call('getFile', request, options);
  }

  deleteFile(request: DeleteFileRequest, options: CallOptions): Promise<DeleteFileResponse> {
    return this.channel.call('deleteFile', request, options);
  }
}
