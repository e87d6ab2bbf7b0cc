import { RuleError } from '@sky-genesis/grpc/rule-error';
import { combineRanges, parse } from 'range-parser';

/** After ranges that touch or overlap are combined. */
const MAX_RANGES = 16;

/** Both ends belong to it, counted from 0. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * The ranges that a Range header asks for, in its order. Undefined where it asks for the whole: it is not there, not in bytes,
 * or malformed, which is as if it were not there (RFC 9110, 14.2).
 * @throws RuleError RANGE_NOT_SATISFIABLE
 */
export function byteRanges(header: string | undefined, size: number): readonly ByteRange[] | undefined {
  if (header === undefined) return undefined;
  const { code, type, ranges } = parse(size, header);
  // 1: malformed; 2: some of it is beyond the end, which does no harm to the rest.
  if (type !== 'bytes' || (code & 1) !== 0) return undefined;
  const combined = combineRanges(ranges).map(({ start, end }) => ({ start, end }));
  if (combined.length > MAX_RANGES) throw new RuleError('RANGE_NOT_SATISFIABLE', `more than ${MAX_RANGES} ranges`);
  if (combined.length > 0) return combined;
  if (code === 0) return undefined;
  throw new RuleError('RANGE_NOT_SATISFIABLE', `the range begins beyond the end: there are ${size} bytes`);
}

export interface PlannedPart {
  /** What stands before its bytes. */
  head: Buffer;
  range: ByteRange;
}

/** The body of an answer with more than one range: multipart/byteranges (RFC 9110, 14.6). */
export function byteRangesBody(ranges: readonly ByteRange[], size: number, contentType: string, boundary: string) {
  const parts = ranges.map(({ start, end }, at): PlannedPart => ({
    head: Buffer.from(
      `${at === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Range: bytes ${start}-${end}/${size}\r\n\r\n`,
      'latin1',
    ),
    range: { start, end },
  }));
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1');
  const length = parts.reduce((sum, { head, range }) => sum + head.length + range.end - range.start + 1, tail.length);
  return { parts, tail, length };
}

/** Whether one of a list of entity tags is this one, by the weak comparison that If-None-Match asks for. */
export const matchesEtag = (list: string, etag: string): boolean =>
  list.trim() === '*' || list.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
