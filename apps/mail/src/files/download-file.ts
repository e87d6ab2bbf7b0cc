import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Caller } from '@sky-genesis/grpc/caller';
import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import { parseEmailId } from '../emails/email-id';
import { AttachmentStore } from './attachment.store';
import { checkBytes, checked } from './check-file';
import { parseFileId } from './file-id';
import { fileBytesTotal } from './files.metrics';
import { ObjectStore } from './object.store';
import type { StoredFile } from './stored-file';
import { Uploads } from './uploads';

/** What is wanted, as the wire gives it: a file, or a mail's attachment; numbers are int64 as decimal text. */
export interface DownloadQuery {
  fileId: string;
  messageId: string;
  attachmentIndex: number;
  offset: string;
  /** 0: to the end. */
  length: string;
}

/** What a download says of the file as a whole. */
export interface DownloadHeader {
  /** undefined: an attachment that was not stored as a file. */
  fileId: string | undefined;
  filename: string;
  contentType: string;
  size: number;
  sha256: Buffer;
}

export interface DownloadPiece {
  /** In the first piece. */
  header: DownloadHeader | undefined;
  offset: number;
  data: Buffer;
  last: boolean;
}

interface Source {
  header: DownloadHeader;
  read: (offset: number, length: number) => AsyncIterable<Buffer>;
}

@Injectable()
export class DownloadFile {
  constructor(
    private readonly uploads: Uploads,
    private readonly attachments: AttachmentStore,
    private readonly objects: ObjectStore,
  ) {}

  /**
   * The pieces, 256 KiB at most, read when they are asked for; one without data where there is nothing to send.
   * @throws RuleError INVALID_ARGUMENT, SCOPE_MISSING, FILE_NOT_FOUND, EMAIL_NOT_FOUND, ATTACHMENT_NOT_FOUND,
   *   RANGE_NOT_SATISFIABLE, STORE_UNAVAILABLE, CONTENT_LOST
   */
  async *run(query: DownloadQuery, caller: Caller): AsyncGenerator<DownloadPiece, void, undefined> {
    const { offset, length } = checkRange(query);
    const { header, read } = query.messageId === '' ? await this.fileSource(query, caller) : await this.attachmentSource(query, caller);
    const { size } = header;
    if (offset > size)
      throw new RuleError('RANGE_NOT_SATISFIABLE', `offset: ${offset} is beyond the end, at ${size}`, { facts: { size: String(size) } });
    const end = length === 0 ? size : Math.min(size, offset + length);
    if (offset === end) yield { header, offset, data: Buffer.alloc(0), last: true };
    else yield* pieces(header, offset, end, read(offset, end - offset));
  }

  private async fileSource({ fileId, attachmentIndex }: DownloadQuery, { tenant }: Caller): Promise<Source> {
    if (attachmentIndex !== 0)
      throw new InvalidArgumentError([{ field: 'attachment_index', description: 'is for an attachment of message_id' }]);
    const file = await this.uploads.file(tenant, parseFileId(fileId));
    return { header: headerOf(file), read: (offset, length) => this.objects.read(file.object, offset, length) };
  }

  private async attachmentSource({ fileId, messageId, attachmentIndex }: DownloadQuery, { tenant, scopes }: Caller): Promise<Source> {
    if (fileId !== '') throw new InvalidArgumentError([{ field: 'file_id', description: 'excludes message_id: give one of them' }]);
    // What is part of a mail is for who may read mail.
    if (!scopes.has('mail.read'))
      throw new RuleError('SCOPE_MISSING', 'the token lacks the scope mail.read, which an attachment of a mail needs');
    const attachment = await this.attachments.find(tenant, parseEmailId(messageId), attachmentIndex);
    if (!attachment) throw new RuleError('ATTACHMENT_NOT_FOUND');
    const { filename, contentType, fileId: id, body } = attachment;
    if ('object' in body) {
      const header = { fileId: id, filename, contentType, size: body.object.size, sha256: body.sha256 };
      return { header, read: (offset, length) => this.objects.read(body.object, offset, length) };
    }
    const { content } = body;
    const header = { fileId: id, filename, contentType, size: content.length, sha256: createHash('sha256').update(content).digest() };
    return { header, read: (offset, length) => inPieces(content.subarray(offset, offset + length)) };
  }
}

const PIECE_BYTES = 256 * 1024;

async function* inPieces(content: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += PIECE_BYTES) yield await Promise.resolve(content.subarray(at, at + PIECE_BYTES));
}

async function* pieces(header: DownloadHeader, from: number, end: number, data: AsyncIterable<Buffer>): AsyncGenerator<DownloadPiece> {
  let offset = from;
  for await (const piece of data) {
    yield { header: offset === from ? header : undefined, offset, data: piece, last: offset + piece.length === end };
    offset += piece.length;
    fileBytesTotal.inc({ direction: 'out' }, piece.length);
  }
}

const headerOf = ({ id, filename, contentType, size, sha256 }: StoredFile): DownloadHeader => ({
  fileId: id,
  filename,
  contentType,
  size,
  sha256,
});

function checkRange({ offset, length, attachmentIndex }: DownloadQuery): { offset: number; length: number } {
  return checked((violations) => {
    if (attachmentIndex < 0) violations.add('attachment_index', 'must be 0 or more');
    return { offset: checkBytes('offset', offset, violations), length: checkBytes('length', length, violations) };
  });
}
