import type { CreateUploadRequest, File, FileChunk, UploadResponse } from '@sky-genesis/proto';
import { parse } from 'content-disposition';
import { toRestField } from '../problem/problem.mapper';
import type { UploadedFile } from './files.schema';
import { asUtf8 } from './header-text';

/** What the answers about a file say of it as a whole. */
export interface FileHead {
  /** '': it has none. */
  filename: string;
  contentType: string;
  size: number;
  /** Hex. */
  sha256: string;
}

/** @param totalSize in bytes; 0: not known */
export const toCreateUploadRequest = (file: { filename: string; contentType: string; totalSize: number }): CreateUploadRequest => ({
  filename: file.filename,
  contentType: file.contentType,
  totalSize: String(file.totalSize),
  sha256: '',
});

export const fromUploadResponse = ({ fileId, size, sha256 }: UploadResponse): UploadedFile => ({
  file_id: fileId,
  size: Number(size),
  sha256,
});

export const fromFile = ({ filename, contentType, size, sha256 }: File): FileHead => ({
  filename,
  contentType,
  size: Number(size),
  sha256,
});

/** Of the first chunk of a download. */
export const fromFirstChunk = ({ filename, contentType, totalSize, sha256 }: FileChunk): FileHead => ({
  filename,
  contentType,
  size: Number(totalSize),
  sha256,
});

/** The name in a Content-Disposition, as it stands there: what a name may be is the service's rule. */
export function filenameIn(contentDisposition: string | undefined): string | undefined {
  return contentDisposition === undefined ? undefined : parse(asUtf8(contentDisposition)).parameters.filename;
}

/** What REST calls a field of FileChunk or CreateUploadRequest. */
export const toFileField = (field: string): string => REST_NAMES.get(field) ?? toRestField(field);

const REST_NAMES: ReadonlyMap<string, string> = new Map([
  ['content_type', 'Content-Type'],
  ['total_size', 'Content-Length'],
]);
