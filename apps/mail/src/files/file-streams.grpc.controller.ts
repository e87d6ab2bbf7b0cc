import type { Metadata, sendUnaryData, ServerReadableStream, ServerWritableStream } from '@grpc/grpc-js';
import { Controller, Logger, UseFilters } from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall } from '@nestjs/microservices';
import { bytesPassed, callContext, countedBytes, OpenStreams, RuleExceptionFilter, serveRequests, serveResponses } from '@sky-genesis/grpc';
import type { Caller } from '@sky-genesis/grpc/caller';
import type { DownloadRequest, FileChunk, UploadResponse } from '@sky-genesis/proto';
import { EMPTY, type Observable } from 'rxjs';
import { DownloadFile } from './download-file';
import { FileLimits } from './file-limits';
import { toDownloadQuery, toFileChunk, toUploadChunk, toUploadResponse } from './files.mapper';
import { UploadFile } from './upload-file';

/** The streams of StreamingService: translates, and decides nothing. */
@Controller()
@UseFilters(RuleExceptionFilter)
export class FileStreamsGrpcController {
  private readonly logger = new Logger(FileStreamsGrpcController.name);

  constructor(
    private readonly uploads: UploadFile,
    private readonly downloads: DownloadFile,
    private readonly streams: OpenStreams,
    private readonly limits: FileLimits,
  ) {}

  @GrpcStreamCall('StreamingService', 'UploadFile')
  uploadFile(call: ServerReadableStream<FileChunk, UploadResponse>, answer: sendUnaryData<UploadResponse>): Promise<void> {
    const requestId = callContext.getStore()?.requestId;
    return serveRequests(call, answer, {
      streams: this.streams,
      idleMs: this.limits.streamIdleMs,
      run: async (requests, { tenant }) => {
        const stream = {
          read: async () => {
            const chunk = await requests.read();
            if (chunk) bytesPassed(chunk.data.length);
            return chunk && toUploadChunk(chunk);
          },
          begun: (fileId: string) => requests.tell('file-id', fileId),
        };
        return toUploadResponse(await this.uploads.run(stream, tenant));
      },
      log: (err) => this.logger.error({ err, requestId }, 'UploadFile failed'),
    });
  }

  @GrpcMethod('StreamingService', 'DownloadFile')
  async downloadFile(
    request: DownloadRequest,
    _metadata: Metadata,
    call: ServerWritableStream<DownloadRequest, FileChunk>,
  ): Promise<Observable<never>> {
    await serveResponses(call, {
      streams: this.streams,
      idleMs: this.limits.streamIdleMs,
      responses: (caller, ending) => this.chunks(request, caller, ending),
    });
    return EMPTY;
  }

  private async *chunks(request: DownloadRequest, caller: Caller, ending: AbortSignal): AsyncGenerator<FileChunk> {
    for await (const piece of countedBytes(this.downloads.run(toDownloadQuery(request), caller))) {
      ending.throwIfAborted();
      yield toFileChunk(piece);
    }
  }
}
