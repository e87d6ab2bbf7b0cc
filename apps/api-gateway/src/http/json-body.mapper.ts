import { isUtf8 } from 'node:buffer';
import { type FieldViolation, RuleError } from '@sky-genesis/grpc';
import { fieldPath } from './field-path';

/** More than any email or document has; each value that is wrong costs an error of its own to report. */
const MAX_VALUES = 70_000;
const MAX_DEPTH = 16;
const MAX_VIOLATIONS = 32;

const loneSurrogate = /\p{Surrogate}/u;
const loneSurrogates = /\p{Surrogate}/gu;

/**
 * Reads a body as JSON. No body at all is undefined.
 * @throws RuleError MALFORMED_REQUEST when it is not JSON in UTF-8, or too deep or wide to be a request
 */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new RuleError('MALFORMED_REQUEST', 'the body is not UTF-8');
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    // V8 quotes from the body, which may be private and is not needed to find the place.
    const place = / at position \d+/.exec((error as Error).message)?.[0] ?? '';
    throw new RuleError('MALFORMED_REQUEST', `the body is not valid JSON${place}`);
  }
}

/**
 * What no schema sees: `__proto__`, which assigning to an object silently drops, and lone surrogates, which UTF-8
 * cannot hold, so that the text would change on its way.
 * @throws RuleError MALFORMED_REQUEST when there are more values, or deeper ones, than any request has
 */
export function findUnsafeText(body: unknown): FieldViolation[] {
  const found: FieldViolation[] = [];
  const add = (path: readonly PropertyKey[], description: string) => {
    if (found.length < MAX_VIOLATIONS) found.push({ field: (fieldPath(path) || 'body').replace(loneSurrogates, '\ufffd'), description });
  };
  let values = 0;
  const visit = (value: unknown, path: readonly PropertyKey[]): void => {
    if (++values > MAX_VALUES)
      throw new RuleError('MALFORMED_REQUEST', `${fieldPath(path.slice(0, 1))}: the body has more than ${MAX_VALUES} values`);
    if (typeof value === 'string') {
      if (loneSurrogate.test(value)) add(path, 'holds half of a surrogate pair, which is not a character');
    } else if (Array.isArray(value)) {
      if (path.length >= MAX_DEPTH) throw tooDeep();
      value.forEach((item, at) => visit(item, [...path, at]));
    } else if (typeof value === 'object' && value !== null) {
      if (path.length >= MAX_DEPTH) throw tooDeep();
      for (const [key, item] of Object.entries(value)) {
        if (key === '__proto__') add([...path, key], 'is not a name that can be used');
        else if (loneSurrogate.test(key)) add([...path, key], 'its name holds half of a surrogate pair, which is not a character');
        visit(item, [...path, key]);
      }
    }
  };
  visit(body, []);
  return found;
}

const tooDeep = () => new RuleError('MALFORMED_REQUEST', `the body is nested deeper than ${MAX_DEPTH} levels`);
