import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { type FieldViolation, InvalidArgumentError } from '@sky-genesis/grpc';
import type { z } from 'zod';
import { fieldPath } from './field-path';
import { findUnsafeText, parseJson } from './json-body.mapper';

/**
 * Checks what a route declares a schema for (`@Body({ schema })`, `@Query({ schema })`), and names every fault at once.
 * Runs behind the guards, so that nobody's JSON is read before it is known who asks. Nest's own
 * StandardSchemaValidationPipe drops keys such as `constructor`, which are fine names for metadata.
 */
@Injectable()
export class RequestValidationPipe implements PipeTransform {
  transform(value: unknown, { schema, type }: ArgumentMetadata): unknown {
    if (!schema) return value;
    const given = type === 'body' && Buffer.isBuffer(value) ? parseJson(value) : value;
    // The schemas of this app are zod's, which tells more of an issue than the standard does.
    return validated(schema as unknown as z.ZodType, given);
  }
}

/** @throws InvalidArgumentError naming every fault at once; RuleError MALFORMED_REQUEST when it is too deep or too wide */
export function validated<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const unsafe = findUnsafeText(given);
  const read = schema.safeParse(given);
  if (read.success && unsafe.length === 0) return read.data;
  const wrong = read.success ? [] : read.error.issues.flatMap(violationsOf);
  throw new InvalidArgumentError(oneOfEachField([...unsafe, ...wrong]));
}

function violationsOf(issue: z.core.$ZodIssue): FieldViolation[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: fieldPath([...issue.path, key]),
      description: SET_BY_THE_SERVER.has(key) ? 'is set by the server' : 'is not known',
    }));
  }
  const description =
    issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
      ? 'is required'
      : issue.message.replace(/^Invalid input: /, '');
  return [{ field: fieldPath(issue.path) || 'body', description }];
}

/** Fields of answers, which a client that sends back what it got would send too. */
const SET_BY_THE_SERVER: ReadonlySet<string> = new Set(['id', 'timestamp', 'size', 'status', 'recipients', 'attempts']);

function oneOfEachField(violations: readonly FieldViolation[]): FieldViolation[] {
  const first = new Map<string, FieldViolation>();
  for (const violation of violations) if (!first.has(violation.field)) first.set(violation.field, violation);
  return [...first.values()];
}
