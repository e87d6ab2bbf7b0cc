import { InvalidArgumentError } from '@sky-genesis/grpc/rule-error';
import { Violations } from '../emails/check-fields';

export const MAX_FILENAME = 255;
/** The contract's int64: what a JSON number holds. */
const MAX_INT64 = Number.MAX_SAFE_INTEGER;
const CONTENT_TYPE = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(; ?[\w!#$&^.+-]{1,64}=("[^"\\\r\n]{0,128}"|[\w!#$&^.+-]{1,128})){0,4}$/;
const SHA256 = /^[0-9a-f]{64}$/i;
// eslint-disable-next-line no-control-regex -- control characters are what it finds
const CONTROL_OR_SEPARATOR = /[\u0000-\u001f\u007f/\\]/;

/** The name of a file as its sender has it: no path, whatever the system. */
export function checkFilename(field: string, filename: string, violations: Violations): void {
  if (filename.length > MAX_FILENAME) violations.add(field, `must be at most ${MAX_FILENAME} characters`);
  else if (CONTROL_OR_SEPARATOR.test(filename) || !filename.isWellFormed()) {
    violations.add(field, 'must not contain / or \\ or control characters');
  }
}

/** '' is for the server to fill in. */
export function checkContentType(field: string, contentType: string, violations: Violations): void {
  if (contentType !== '' && !CONTENT_TYPE.test(contentType)) violations.add(field, 'must be a media type such as text/plain');
}

/** An int64 of the contract as the wire gives it; 0 where it is refused. */
export function checkBytes(field: string, text: string, violations: Violations): number {
  const bytes = Number(text);
  if (/^-?\d+$/.test(text) && bytes >= 0 && bytes <= MAX_INT64) return bytes;
  violations.add(field, `must be a number of bytes, 0 to ${MAX_INT64}`);
  return 0;
}

/** Hex; undefined where none is given. */
export function checkSha256(field: string, text: string, violations: Violations): Buffer | undefined {
  if (text === '') return undefined;
  if (SHA256.test(text)) return Buffer.from(text, 'hex');
  violations.add(field, 'must be 64 hexadecimal digits');
  return undefined;
}

/** @throws InvalidArgumentError naming every field that is wrong */
export function checked<Result>(check: (violations: Violations) => Result): Result {
  const violations = new Violations();
  const result = check(violations);
  if (violations.found.length > 0) throw new InvalidArgumentError(violations.found);
  return result;
}
