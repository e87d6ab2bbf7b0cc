import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { currentCaller, RuleExceptionFilter } from '@sky-genesis/grpc';
import type {
  CreateUploadRequest,
  DeleteFileRequest,
  DeleteFileResponse,
  File,
  GetFileRequest,
  GetUploadRequest,
  UploadStatus,
} from '@sky-genesis/proto';
import { fileUuid, parseFileId } from './file-id';
import { toFile, toUploadDraft, toUploadStatus } from './files.mapper';
import { Uploads } from './uploads';

/** What StreamingService has beside streams: translates, and decides nothing. */
@Controller()
@UseFilters(RuleExceptionFilter)
export class FilesGrpcController {
  constructor(private readonly uploads: Uploads) {}

  @GrpcMethod('StreamingService', 'CreateUpload')
  async createUpload(request: CreateUploadRequest): Promise<UploadStatus> {
    return toUploadStatus(await this.uploads.create(currentCaller().tenant, toUploadDraft(request)));
  }

  @GrpcMethod('StreamingService', 'GetUpload')
  async getUpload({ fileId }: GetUploadRequest): Promise<UploadStatus> {
    return toUploadStatus(await this.uploads.progress(currentCaller().tenant, parseFileId(fileId)));
  }

  @GrpcMethod('StreamingService', 'GetFile')
  async getFile({ fileId }: GetFileRequest): Promise<File> {
    return toFile(await this.uploads.file(currentCaller().tenant, parseFileId(fileId)));
  }

  @GrpcMethod('StreamingService', 'DeleteFile')
  async deleteFile({ fileId }: DeleteFileRequest): Promise<DeleteFileResponse> {
    const id = fileUuid(fileId);
    return { deleted: id !== undefined && (await this.uploads.delete(currentCaller().tenant, id)) };
  }
}
