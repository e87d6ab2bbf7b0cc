import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import { checkBytes, checkContentType, checked, checkFilename, checkSha256 } from './check-file';
import { type FileLimits, MAX_CHUNK_BYTES } from './file-limits';
import type { Upload } from './upload';
import type { UploadChunk, UploadDraft } from './upload-chunk';

export type CheckedUpload = Pick<Upload, 'filename' | 'contentType' | 'totalSize' | 'sha256'>;

/** @throws InvalidArgumentError; RuleError FILE_TOO_LARGE */
export function checkUpload(draft: UploadDraft, limits: FileLimits): CheckedUpload {
  const upload = checked((violations) => {
    checkFilename('filename', draft.filename, violations);
    checkContentType('content_type', draft.contentType, violations);
    return {
      filename: draft.filename,
      contentType: draft.contentType || 'application/octet-stream',
      totalSize: checkBytes('total_size', draft.totalSize, violations) || undefined,
      sha256: checkSha256('sha256', draft.sha256, violations),
    };
  });
  if ((upload.totalSize ?? 0) > limits.bytes) throw tooLarge('total_size', upload.totalSize!, limits);
  return upload;
}

/** What a chunk says, where everything in it fits what was said and sent before. */
export interface CheckedChunk {
  totalSize: number | undefined;
  sha256: Buffer | undefined;
}

/**
 * @param position bytes that came before it
 * @param isFirst of its stream
 * @throws InvalidArgumentError; RuleError OFFSET_MISMATCH, SIZE_MISMATCH, FILE_TOO_LARGE
 */
export function checkChunk(
  chunk: UploadChunk,
  upload: Pick<Upload, 'filename' | 'contentType' | 'totalSize'>,
  position: number,
  isFirst: boolean,
  limits: FileLimits,
): CheckedChunk {
  const { offset, totalSize, sha256 } = checked((violations) => {
    if (chunk.data.length > MAX_CHUNK_BYTES) violations.add('data', `must be at most ${MAX_CHUNK_BYTES} bytes, not ${chunk.data.length}`);
    if (chunk.data.length === 0 && !isFirst && !chunk.last && !chunk.commit) {
      violations.add('data', 'may be empty in the first chunk, the last and one that commits only');
    }
    for (const [field, given, known] of [
      ['filename', chunk.filename, upload.filename],
      ['content_type', chunk.contentType, upload.contentType],
    ] as const) {
      if (given !== '' && given !== known)
        violations.add(field, 'is that of another file: it is said in the first chunk of a new file only');
    }
    if (chunk.atomic && !isFirst) violations.add('atomic', 'may be said in the first chunk only');
    return {
      offset: checkBytes('offset', chunk.offset, violations),
      totalSize: checkBytes('total_size', chunk.totalSize, violations) || undefined,
      sha256: checkSha256('sha256', chunk.sha256, violations),
    };
  });
  if (offset !== position) throw mismatch('OFFSET_MISMATCH', 'offset', `is ${offset}, and ${position} bytes came before it`);
  if (totalSize !== undefined && upload.totalSize !== undefined && totalSize !== upload.totalSize) {
    throw mismatch('SIZE_MISMATCH', 'total_size', `is ${totalSize}, and was ${upload.totalSize} before`);
  }
  const total = totalSize ?? upload.totalSize;
  const arrived = position + chunk.data.length;
  if (Math.max(total ?? 0, arrived) > limits.bytes) throw tooLarge(total === undefined ? 'data' : 'total_size', total ?? arrived, limits);
  if (total !== undefined && (arrived > total || (chunk.last && arrived < total))) {
    throw mismatch('SIZE_MISMATCH', 'total_size', `is ${total}, and ${arrived} bytes arrived`);
  }
  return { totalSize: total, sha256 };
}

/** @throws InvalidArgumentError where a stream ended before its first chunk */
export function firstChunkOf(chunk: UploadChunk | undefined): UploadChunk {
  if (chunk) return chunk;
  throw new InvalidArgumentError([{ field: 'data', description: 'a stream must have at least one chunk' }]);
}

function mismatch(reason: 'OFFSET_MISMATCH' | 'SIZE_MISMATCH', field: string, description: string): RuleError {
  return new RuleError(reason, `${field}: ${description}`, { violations: [{ field, description }] });
}

function tooLarge(field: string, bytes: number, limits: FileLimits): RuleError {
  const description = `${bytes} bytes are more than the ${limits.bytes} that a file may have`;
  return new RuleError('FILE_TOO_LARGE', `${field}: ${description}`, { violations: [{ field, description }] });
}
