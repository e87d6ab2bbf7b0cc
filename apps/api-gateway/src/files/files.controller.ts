import { Controller, Delete, HttpCode, Param, Post, Put, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import { JwtAuthGuard, ScopeGuard } from '@sky-genesis/auth';
import { type CallOptions, type ErrorReason, FilesClient, RuleError } from '@sky-genesis/grpc';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ForCall } from '../http/call-options.decorator';
import { nothing } from '../mail/mail.schema';
import { RpcRoute } from '../openapi/rpc-route.decorator';
import { fromUploadResponse, toFileField } from './files.mapper';
import * as schema from './files.schema';
import { UploadHandler } from './upload.handler';

const UPLOAD_ERRORS: readonly ErrorReason[] = [
  'UNSUPPORTED_MEDIA_TYPE',
  'FILE_TOO_LARGE',
  'FILE_QUOTA_EXCEEDED',
  'SIZE_MISMATCH',
  'DIGEST_MISMATCH',
  'STORE_FULL',
  'STORE_UNAVAILABLE',
  'SERVER_DRAINING',
];

const STORED = {
  status: 201,
  description: 'The file is stored.',
  standardSchema: schema.uploadedFile,
  headers: { Location: { description: 'Where the file can be downloaded.', schema: { type: 'string' } } },
} as const;

const BYTES = { description: 'The bytes of the file.', schema: { type: 'string', format: 'binary' } } as const;

const DigestHeaders: MethodDecorator = (...target) => {
  for (const name of ['Content-Digest', 'Repr-Digest']) {
    const description = `RFC 9530, \`sha-256=:<base64>:\` or \`sha-512=:<base64>:\`, of the whole body: checked before the file is stored.`;
    ApiHeader({ name, required: false, description, schema: { type: 'string' } })(...target);
  }
};

/** Files in REST: in whole requests. `api/v1/uploads` takes them in pieces. */
@ApiTags('files')
@Controller('api/v1/files')
@UseGuards(JwtAuthGuard, ScopeGuard)
export class FilesController {
  constructor(
    private readonly files: FilesClient,
    private readonly uploads: UploadHandler,
  ) {}

  @Post()
  @RpcRoute('StreamingService/UploadFile', {
    summary: 'Upload a file',
    description: `The body is the file, of any media type, or \`multipart/form-data\` with one file in it (other fields are not looked at). Its \
name stands in \`Content-Disposition\` (\`filename\` or \`filename*\`) or in \`filename\`. The body may take as long as it moves, and is read no \
faster than it is stored. A request that fails leaves nothing: to go on where a connection ended, use \`/api/v1/uploads\`.`,
    errors: ['MALFORMED_REQUEST', 'MESSAGE_TOO_LARGE', ...UPLOAD_ERRORS],
    streamedBody: 'bytes',
    restName: toFileField,
  })
  @DigestHeaders
  @ApiHeader({
    name: 'Content-Disposition',
    required: false,
    description: 'Names the file: `attachment; filename="report.pdf"`.',
    schema: { type: 'string' },
  })
  @ApiConsumes('application/octet-stream')
  @ApiBody(BYTES)
  @ApiResponse(STORED)
  uploadFile(
    @Req() request: FastifyRequest,
    @Query({ schema: schema.filenameInQuery }) { filename = '' }: z.output<typeof schema.filenameInQuery>,
    @ForCall() call: CallOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<schema.UploadedFile> {
    return this.take(request, reply, filename, call);
  }

  @Put('by-name/:filename')
  @HttpCode(201)
  @RpcRoute('StreamingService/UploadFile', {
    summary: 'Upload a file under its name',
    description:
      'As `POST /api/v1/files`, for clients such as `curl -T report.pdf <url>/`. It is a new file each time, also under a name used before.',
    errors: ['MALFORMED_REQUEST', 'MESSAGE_TOO_LARGE', ...UPLOAD_ERRORS],
    streamedBody: 'bytes',
    restName: toFileField,
  })
  @DigestHeaders
  @ApiConsumes('application/octet-stream')
  @ApiBody(BYTES)
  @ApiResponse(STORED)
  putFile(
    @Req() request: FastifyRequest,
    @Param({ schema: schema.filenameInPath }) { filename }: z.output<typeof schema.filenameInPath>,
    @Query({ schema: nothing }) _query: unknown,
    @ForCall() call: CallOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<schema.UploadedFile> {
    return this.take(request, reply, filename, call);
  }

  @Delete(':id')
  @HttpCode(204)
  @RpcRoute('StreamingService/DeleteFile', {
    summary: 'Delete a file',
    description: 'Emails that were sent with it have their attachments still.',
    errors: ['FILE_NOT_FOUND', 'FILE_IN_USE'],
  })
  @ApiResponse({ status: 204, description: 'It is not there any more.' })
  async deleteFile(
    @Param({ schema: schema.fileId }) { id }: z.output<typeof schema.fileId>,
    @Query({ schema: nothing }) _query: unknown,
    @ForCall() call: CallOptions,
  ): Promise<void> {
    const { deleted } = await this.files.deleteFile({ fileId: id }, call);
    if (!deleted) throw new RuleError('FILE_NOT_FOUND');
  }

  private async take(request: FastifyRequest, reply: FastifyReply, filename: string, call: CallOptions): Promise<schema.UploadedFile> {
    const response = await this.uploads.take(request, reply, filename, call);
    void reply.header('location', `/api/v1/files/${response.fileId}`);
    return fromUploadResponse(response);
  }
}
