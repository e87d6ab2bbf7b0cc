import type { ObjectState } from '../object.store';

const MEBIBYTE = 2 ** 20;
const MIN_PART_BYTES = 8 * MEBIBYTE;
/** As S3 has it. */
const MAX_PARTS = 10_000;

/** An object that is being written: whole parts of a multipart upload, and behind them less than a part, in an object of its own. */
export interface S3Upload {
  /** undefined: there is no part yet. */
  uploadId?: string;
  /** As when it was begun: an upload goes on with parts of the same size, whatever the settings are then. */
  partBytes: number;
  /** The ETag of each part. */
  parts: readonly string[];
  /** Bytes behind the parts. */
  tail: number;
}

/** @param partBytes of one that is begun now */
export const toUpload = (state: ObjectState, partBytes: number): S3Upload =>
  'partBytes' in state ? (state as unknown as S3Upload) : { partBytes, parts: [], tail: 0 };

export const uploadedBytes = ({ partBytes, parts, tail }: S3Upload): number => parts.length * partBytes + tail;

/** The largest file still fits into as many parts as there may be. */
export const partBytesFor = (maxBytes: number): number =>
  Math.max(MIN_PART_BYTES, Math.ceil(Math.ceil(maxBytes / MAX_PARTS) / MEBIBYTE) * MEBIBYTE);

/**
 * What is behind so many parts. It only ever grows, with the same first bytes: an older state finds its bytes in it.
 * @param parts before it
 */
export const tailKey = (key: string, parts: number): string => `${tailKeys(key)}${parts + 1}`;

/** What the keys of all tails begin with. */
export const tailKeys = (key: string): string => `${key}.tail.`;
