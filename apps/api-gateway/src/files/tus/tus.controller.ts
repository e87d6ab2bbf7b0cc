import { Controller, Delete, Head, HttpCode, Param, Patch, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import { JwtAuthGuard, ScopeGuard } from '@sky-genesis/auth';
import { type CallOptions, type ErrorReason, FilesClient, RuleError } from '@sky-genesis/grpc';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ForCall } from '../../http/call-options.decorator';
import { nothing } from '../../mail/mail.schema';
import { RpcRoute } from '../../openapi/rpc-route.decorator';
import { fileId } from '../files.schema';
import { TUS_CHECKSUMS, TUS_MEDIA_TYPE, TUS_PATH, writeMetadata } from './tus-headers';
import { TusVersionGuard } from './tus-version.guard';
import { type Progress, TusHandler } from './tus.handler';

type Id = z.output<typeof fileId>;

const PIECE_ERRORS: readonly ErrorReason[] = [
  'UNSUPPORTED_TUS_VERSION',
  'UNSUPPORTED_MEDIA_TYPE',
  'FILE_TOO_LARGE',
  'FILE_QUOTA_EXCEEDED',
  'CHECKSUM_MISMATCH',
  'STORE_FULL',
  'STORE_UNAVAILABLE',
  'SERVER_DRAINING',
];

const text = { type: 'string' } as const;

const TusHeaders =
  (headers: Record<string, string>): MethodDecorator =>
  (...target) => {
    ApiHeader({ name: 'Tus-Resumable', required: true, description: '`1.0.0`.', schema: text })(...target);
    for (const [name, description] of Object.entries(headers)) ApiHeader({ name, required: false, description, schema: text })(...target);
  };

const CHECKSUM = {
  'Upload-Checksum': `\`<algorithm> <base64>\` of the piece, by one of ${TUS_CHECKSUMS}: where it is another, the piece is dropped.`,
};

const answered = {
  'Upload-Offset': { description: 'How many bytes are there.', schema: text },
  'Upload-Expires': { description: 'When an upload that is not complete is dropped, unless more arrives.', schema: text },
};

const Piece: MethodDecorator = (...target) => {
  ApiConsumes(TUS_MEDIA_TYPE)(...target);
  ApiBody({ required: false, description: 'A piece of the file.', schema: { type: 'string', format: 'binary' } })(...target);
};

/** Uploads that go on where a connection ended: tus 1.0.0, for clients such as tus-js-client and Uppy. */
@ApiTags('files')
@Controller(TUS_PATH)
@UseGuards(JwtAuthGuard, ScopeGuard, TusVersionGuard)
export class TusController {
  constructor(
    private readonly tus: TusHandler,
    private readonly files: FilesClient,
  ) {}

  @Post()
  @HttpCode(201)
  @RpcRoute('StreamingService/CreateUpload', {
    summary: 'Create an upload (tus)',
    description: `Gives a place to upload to (\`Location\`), which ends in the \`file_id\`. The body may be the first piece.`,
    errors: PIECE_ERRORS,
    streamedBody: 'bytes',
  })
  @TusHeaders({
    'Upload-Length': 'Of the whole file, in bytes.',
    'Upload-Defer-Length': '`1`: it is said later.',
    'Upload-Metadata': '`filename` and `filetype` (or `name` and `type`), each with base64.',
    ...CHECKSUM,
  })
  @Piece
  @ApiResponse({
    status: 201,
    description: 'The upload has begun.',
    headers: { Location: { description: 'Where to send pieces.', schema: text }, ...answered },
  })
  async createUpload(
    @Req() request: FastifyRequest,
    @Query({ schema: nothing }) _query: unknown,
    @ForCall() call: CallOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const progress = await this.tus.create(request, reply, call);
    void reply.header('location', `/${TUS_PATH}/${progress.fileId}`);
    tell(progress, reply);
  }

  @Head(':id')
  @HttpCode(200)
  @RpcRoute('StreamingService/GetUpload', {
    summary: 'Ask how far an upload has come (tus)',
    description: 'The offset to go on from. An upload that was completed answers until it is deleted.',
    // To complete an upload is more than to read it.
    errors: ['UNSUPPORTED_TUS_VERSION', 'FILE_NOT_FOUND', 'UPLOAD_BUSY', 'TOO_EARLY'],
  })
  @TusHeaders({})
  @ApiResponse({
    status: 200,
    description: 'How far it has come.',
    headers: {
      ...answered,
      'Upload-Length': { description: 'Of the whole file, where it is known.', schema: text },
      'Upload-Defer-Length': { description: '`1`: it is not.', schema: text },
      'Upload-Metadata': { description: '`filename` and `filetype`.', schema: text },
    },
  })
  async readUpload(
    @Param({ schema: fileId }) { id }: Id,
    @Query({ schema: nothing }) _query: unknown,
    @ForCall() call: CallOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const progress = await this.tus.progress(id, call);
    tell(progress, reply);
    if (progress.length === undefined) void reply.header('upload-defer-length', '1');
    else void reply.header('upload-length', String(progress.length));
    const metadata = writeMetadata(progress);
    if (metadata) void reply.header('upload-metadata', metadata);
  }

  @Patch(':id')
  @HttpCode(204)
  @RpcRoute('StreamingService/UploadFile', {
    summary: 'Send a piece of an upload (tus)',
    description:
      'Begins where the one before ended. Where the connection ends, what arrived is kept; a piece with a checksum is kept as a whole or not at all.',
    errors: [...PIECE_ERRORS, 'FILE_NOT_FOUND', 'OFFSET_MISMATCH', 'SIZE_MISMATCH', 'UPLOAD_BUSY', 'UPLOAD_COMPLETE'],
    streamedBody: 'bytes',
  })
  @TusHeaders({
    'Upload-Offset': 'Where the piece begins, which is how many bytes are there.',
    'Upload-Length': 'Where it was not said before.',
    ...CHECKSUM,
  })
  @Piece
  @ApiResponse({ status: 204, description: 'The piece is stored; with the last one, the file.', headers: answered })
  async patchUpload(
    @Req() request: FastifyRequest,
    @Param({ schema: fileId }) { id }: Id,
    @Query({ schema: nothing }) _query: unknown,
    @ForCall() call: CallOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    tell(await this.tus.patch(id, request, reply, call), reply);
  }

  @Delete(':id')
  @HttpCode(204)
  @RpcRoute('StreamingService/DeleteFile', {
    summary: 'End an upload (tus)',
    description: 'What arrived is dropped. A file that is complete is deleted.',
    errors: ['UNSUPPORTED_TUS_VERSION', 'FILE_NOT_FOUND', 'FILE_IN_USE'],
  })
  @TusHeaders({})
  @ApiResponse({ status: 204, description: 'It is not there any more.' })
  async endUpload(
    @Param({ schema: fileId }) { id }: Id,
    @Query({ schema: nothing }) _query: unknown,
    @ForCall() call: CallOptions,
  ): Promise<void> {
    const { deleted } = await this.files.deleteFile({ fileId: id }, call);
    if (!deleted) throw new RuleError('FILE_NOT_FOUND');
  }

  @Post(':id')
  @HttpCode(204)
  @RpcRoute('StreamingService/UploadFile', {
    summary: 'PATCH or DELETE for clients that cannot send them (tus)',
    description: 'What to do is in `X-HTTP-Method-Override`.',
    errors: [...PIECE_ERRORS, 'FILE_NOT_FOUND', 'OFFSET_MISMATCH', 'SIZE_MISMATCH', 'UPLOAD_BUSY', 'UPLOAD_COMPLETE', 'FILE_IN_USE'],
    streamedBody: 'bytes',
  })
  @TusHeaders({ 'X-HTTP-Method-Override': '`PATCH` or `DELETE`.' })
  @Piece
  @ApiResponse({ status: 204, description: 'As that method answers.', headers: answered })
  async overrideMethod(
    @Req() request: FastifyRequest,
    @Param({ schema: fileId }) id: Id,
    @Query({ schema: nothing }) query: unknown,
    @ForCall() call: CallOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const method = request.headers['x-http-method-override'];
    if (method === 'PATCH') await this.patchUpload(request, id, query, call, reply);
    else if (method === 'DELETE') await this.endUpload(id, query, call);
    else throw new RuleError('ROUTE_NOT_FOUND');
  }
}

function tell({ offset, expiresAt }: Progress, reply: FastifyReply): void {
  void reply.header('upload-offset', String(offset));
  if (expiresAt > 0) void reply.header('upload-expires', new Date(expiresAt * 1000).toUTCString());
}
