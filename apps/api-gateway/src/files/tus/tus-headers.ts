import { createHash } from 'node:crypto';
import { type FieldViolation, InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';

export const TUS_PATH = 'api/v1/uploads';
export const TUS_VERSION = '1.0.0';
export const TUS_EXTENSIONS = 'creation,creation-with-upload,creation-defer-length,expiration,checksum,termination';
export const TUS_CHECKSUMS = 'sha1,md5,sha256,sha512';
export const TUS_MEDIA_TYPE = 'application/offset+octet-stream';

/** As Node gives them. */
export type Headers = Record<string, string | string[] | undefined>;

export interface Creation {
  /** Bytes; undefined: said later. */
  length: number | undefined;
  /** '': it has none. */
  filename: string;
  contentType: string;
}

/** What a piece must hash to. */
export interface Checksum {
  algorithm: string;
  /** Base64. */
  digest: string;
}

/** @throws InvalidArgumentError naming every header that is wrong */
export function readCreation(headers: Headers): Creation {
  const violations: FieldViolation[] = [];
  const length = tryTo(() => bytesIn(headers, 'Upload-Length'), violations);
  const deferred = textOf(headers, 'Upload-Defer-Length');
  if (deferred !== undefined && deferred !== '1') violations.push({ field: 'Upload-Defer-Length', description: 'must be 1' });
  else if ((length === undefined) === (deferred === undefined) && violations.length === 0) {
    violations.push({ field: 'Upload-Length', description: 'must be given, or Upload-Defer-Length: 1 instead' });
  }
  const metadata = tryTo(() => metadataIn(headers), violations) ?? new Map<string, string>();
  if (violations.length > 0) throw new InvalidArgumentError(violations);
  return {
    length,
    filename: metadata.get('filename') ?? metadata.get('name') ?? '',
    contentType: metadata.get('filetype') ?? metadata.get('type') ?? '',
  };
}

/**
 * A number of bytes.
 * @throws InvalidArgumentError
 */
export function bytesIn(headers: Headers, name: 'Upload-Length' | 'Upload-Offset'): number | undefined {
  const text = textOf(headers, name);
  if (text === undefined) return undefined;
  const bytes = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new InvalidArgumentError([{ field: name, description: 'must be a number of bytes' }]);
}

/** @throws InvalidArgumentError where it is malformed, or its algorithm is not known */
export function readChecksum(headers: Headers): Checksum | undefined {
  const text = textOf(headers, 'Upload-Checksum');
  if (text === undefined) return undefined;
  const [algorithm = '', digest = '', ...more] = text.trim().split(' ');
  if (!TUS_CHECKSUMS.split(',').includes(algorithm) || !isBase64(digest) || digest === '' || more.length > 0) {
    throw new InvalidArgumentError([{ field: 'Upload-Checksum', description: `must be one of ${TUS_CHECKSUMS}, a space, and base64` }]);
  }
  return { algorithm, digest };
}

/** The metadata that this server keeps, as a client would send it. */
export function writeMetadata({ filename, contentType }: { filename: string; contentType: string }): string {
  const pairs = [
    ['filename', filename],
    ['filetype', contentType],
  ] as const;
  return pairs
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

/** @throws RuleError CHECKSUM_MISMATCH at the end of the piece, naming both */
export async function* checked({ algorithm, digest }: Checksum, piece: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const hash = createHash(algorithm);
  for await (const bytes of piece) {
    hash.update(bytes);
    yield bytes;
  }
  const actual = hash.digest('base64');
  if (actual !== digest) throw new RuleError('CHECKSUM_MISMATCH', `${algorithm} of what arrived is ${actual}, not ${digest}`);
}

/** `key base64,key base64,key`: keys are unique, and values may be left out. */
function metadataIn(headers: Headers): Map<string, string> {
  const found = new Map<string, string>();
  const text = textOf(headers, 'Upload-Metadata');
  for (const pair of text?.trim() ? text.split(',') : []) {
    const [key = '', value = '', ...more] = pair.trim().split(' ');
    if (key === '' || found.has(key) || !isBase64(value) || more.length > 0) throw wrongMetadata();
    found.set(key, utf8Of(value));
  }
  return found;
}

function utf8Of(base64: string): string {
  try {
    return utf8.decode(Buffer.from(base64, 'base64'));
  } catch {
    throw wrongMetadata();
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0;

const wrongMetadata = () =>
  new InvalidArgumentError([{ field: 'Upload-Metadata', description: 'must be pairs of a key and base64 of UTF-8, joined by commas' }]);

const textOf = (headers: Headers, name: string): string | undefined => headers[name.toLowerCase()]?.toString();

function tryTo<T>(read: () => T, violations: FieldViolation[]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    violations.push(...(error.details.violations ?? []));
    return undefined;
  }
}
