import type { CreateUploadRequest, DownloadRequest, File, FileChunk, UploadResponse, UploadStatus } from '@sky-genesis/proto';
import type { DownloadPiece, DownloadQuery } from './download-file';
import { formatFileId } from './file-id';
import type { StoredFile } from './stored-file';
import type { UploadProgress } from './upload';
import type { UploadChunk, UploadDraft } from './upload-chunk';

/** Between the contract's messages and this app's own words; nothing is decided here. */

export const toUploadChunk = ({
  fileId,
  filename,
  contentType,
  offset,
  data,
  totalSize,
  last,
  sha256,
  atomic,
  commit,
}: FileChunk): UploadChunk => ({
  fileId,
  filename,
  contentType,
  offset,
  // Not a copy: the message that it is a part of is nobody else's.
  data: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  totalSize,
  last,
  sha256,
  atomic,
  commit,
});

export const toUploadDraft = ({ filename, contentType, totalSize, sha256 }: CreateUploadRequest): UploadDraft => ({
  filename,
  contentType,
  totalSize,
  sha256,
});

export const toUploadResponse = ({ id, size, sha256 }: StoredFile): UploadResponse => ({
  fileId: formatFileId(id),
  size: String(size),
  sha256: sha256.toString('hex'),
});

export const toUploadStatus = (progress: UploadProgress): UploadStatus => ({
  fileId: formatFileId(progress.id),
  received: String(progress.received),
  complete: progress.complete,
  totalSize: String(progress.totalSize ?? 0),
  filename: progress.filename,
  contentType: progress.contentType,
  expiresAt: String(progress.expiresAt ? unixSeconds(progress.expiresAt) : 0),
});

export const toFile = ({ id, filename, contentType, size, sha256, createdAt }: StoredFile): File => ({
  fileId: formatFileId(id),
  filename,
  contentType,
  size: String(size),
  sha256: sha256.toString('hex'),
  createdAt: String(unixSeconds(createdAt)),
});

export const toDownloadQuery = ({ fileId, messageId, attachmentIndex, offset, length }: DownloadRequest): DownloadQuery => ({
  fileId,
  messageId,
  attachmentIndex,
  offset,
  length,
});

export const toFileChunk = ({ header, offset, data, last }: DownloadPiece): FileChunk => ({
  fileId: header?.fileId === undefined ? '' : formatFileId(header.fileId),
  filename: header?.filename ?? '',
  contentType: header?.contentType ?? '',
  offset: String(offset),
  data,
  totalSize: String(header?.size ?? 0),
  last,
  sha256: header?.sha256.toString('hex') ?? '',
  atomic: false,
  commit: false,
});

const unixSeconds = (date: Date): number => Math.floor(date.getTime() / 1000);
