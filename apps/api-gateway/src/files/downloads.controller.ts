import { Controller, Get, Param, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiHeader, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { JwtAuthGuard, ScopeGuard } from '@sky-genesis/auth';
import { type CallOptions, type ErrorReason, FilesClient, RuleError } from '@sky-genesis/grpc';
import type { DownloadRequest } from '@sky-genesis/proto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ForCall } from '../http/call-options.decorator';
import { nothing } from '../mail/mail.schema';
import { RpcRoute } from '../openapi/rpc-route.decorator';
import { answerDownload } from './download.handler';
import { type FileHead, fromFile, fromFirstChunk } from './files.mapper';
import * as schema from './files.schema';

const DOWNLOAD_ERRORS: readonly ErrorReason[] = [
  'RANGE_NOT_SATISFIABLE',
  'TOO_MANY_STREAMS',
  'STORE_UNAVAILABLE',
  'CONTENT_LOST',
  'SERVER_DRAINING',
];

const text = { type: 'string' } as const;

const RangeHeaders: MethodDecorator = (...target) => {
  const headers = {
    Range: 'Parts of it, such as `bytes=0-1023,-512`; 16 at most. A malformed one is as none.',
    'If-Range': 'An `ETag`: `Range` holds only where it is still that of the file.',
    'If-None-Match': '`ETag`s: where one is that of the file, the answer is 304 and empty.',
  };
  for (const [name, description] of Object.entries(headers)) ApiHeader({ name, required: false, description, schema: text })(...target);
  const answered = {
    ETag: { description: 'The SHA-256 of the file, in hex and quotes.', schema: text },
    'Content-Disposition': { description: '`attachment`, with the name of the file.', schema: text },
    'Accept-Ranges': { description: '`bytes`.', schema: text },
  };
  const content = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } as const;
  ApiProduces('application/octet-stream')(...target);
  ApiResponse({ status: 200, description: 'The file, of the media type that it was declared to be.', headers: answered, content })(
    ...target,
  );
  ApiResponse({ status: 206, description: 'The parts that were asked for; more than one as `multipart/byteranges`.', content })(...target);
  ApiResponse({ status: 304, description: 'The file is the one that you have.' })(...target);
};

/** Files and attachments, whole and in ranges; HEAD goes the same way. */
@ApiTags('files')
@Controller('api/v1')
@UseGuards(JwtAuthGuard, ScopeGuard)
export class DownloadsController {
  constructor(private readonly files: FilesClient) {}

  @Get('files/:id')
  @RpcRoute('StreamingService/DownloadFile', {
    summary: 'Download a file',
    description: 'As long as it is read. Where the answer ends before `Content-Length` bytes, go on with `Range`.',
    errors: ['FILE_NOT_FOUND', ...DOWNLOAD_ERRORS],
  })
  @RangeHeaders
  async downloadFile(
    @Req() request: FastifyRequest,
    @Param({ schema: schema.fileId }) { id }: z.output<typeof schema.fileId>,
    @Query({ schema: nothing }) _query: unknown,
    @ForCall() call: CallOptions,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const head = fromFile(await this.files.getFile({ fileId: id }, call));
    await answerDownload({ head, read: this.reading({ fileId: id }, call) }, request, reply);
  }

  @Get('mail/:id/attachments/:n')
  @RpcRoute('StreamingService/DownloadFile', {
    summary: 'Download an attachment',
    description: 'As `GET /api/v1/files/{id}`. Needs the scope `mail.read` as well.',
    errors: ['EMAIL_NOT_FOUND', 'ATTACHMENT_NOT_FOUND', ...DOWNLOAD_ERRORS],
  })
  @RangeHeaders
  async downloadAttachment(
    @Req() request: FastifyRequest,
    @Param({ schema: schema.attachmentPlace }) { id, n }: z.output<typeof schema.attachmentPlace>,
    @Query({ schema: nothing }) _query: unknown,
    @ForCall() call: CallOptions,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const read = this.reading({ messageId: id, attachmentIndex: n }, call);
    await answerDownload({ head: await headOf(read(0, 1)), read }, request, reply);
  }

  private reading(what: Partial<DownloadRequest>, call: CallOptions) {
    return (offset: number, length: number) =>
      this.files.downloadFile(
        { fileId: '', messageId: '', attachmentIndex: 0, ...what, offset: String(offset), length: String(length) },
        call,
      );
  }
}

/** The first chunk says all about the file, and there is no other way to ask about an attachment. */
async function headOf(chunks: ReturnType<FilesClient['downloadFile']>): Promise<FileHead> {
  for await (const chunk of chunks) return fromFirstChunk(chunk);
  throw new RuleError('CONTENT_LOST');
}
