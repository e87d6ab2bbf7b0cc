import { type FieldViolation, InvalidArgumentError } from '@sky-genesis/grpc/rule-error';
import { fieldNameRule, isFieldName } from './field-name';
import { type Comparison, numberOf, type QueryNode } from './query';
import { MAX_FILTER_VALUE_BYTES, MAX_FILTER_VALUES, MAX_FILTERS } from './query-limits';
import { allOf, anyOf } from './query-tree';

/**
 * Reads `field:value`, `field:a|b` (one of them) and `field:>=n`; all filters must hold. docs/search.md, "Filters", is the
 * specification.
 * @throws InvalidArgumentError that names each wrong one
 */
export function parseFilters(filters: readonly string[]): QueryNode {
  if (filters.length > MAX_FILTERS) throw new InvalidArgumentError([{ field: 'filters', description: `must be at most ${MAX_FILTERS}` }]);
  const violations: FieldViolation[] = [];
  const nodes = filters.flatMap((filter, index) => {
    try {
      return [parseFilter(filter)];
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      violations.push({ field: `filters[${index}]`, description: error.message });
      return [];
    }
  });
  if (violations.length > 0) throw new InvalidArgumentError(violations);
  return allOf(nodes);
}

/** Why a filter is none. */
class FilterError extends Error {}

/** Each part matches in one way only, so that a long filter takes no longer than its length. */
const COMPARISON = /^([<>]=?)(.*)$/s;
const PIECE = /\\([|\\<>])|(\\)|(\|)|([^|\\]+)/g;
const kinds = ['email', 'document'];

function parseFilter(filter: string): QueryNode {
  const colon = filter.indexOf(':');
  if (colon < 0) throw new FilterError('must be field:value');
  const field = filter.slice(0, colon);
  if (!isFieldName(field)) throw new FilterError(fieldNameRule);
  if (field === 'title' || field === 'content') {
    throw new FilterError(`cannot be about ${field}: its words are found with ${field === 'title' ? 'subject' : 'body'}: in the query`);
  }
  const [, comparison, number] = COMPARISON.exec(filter.slice(colon + 1)) ?? [];
  if (comparison !== undefined && number !== undefined) return compared(field, comparison as Comparison, number);
  return equal(field, valuesOf(filter.slice(colon + 1)));
}

function compared(field: string, comparison: Comparison, text: string): QueryNode {
  if (field === 'id' || field === 'url' || field === 'kind') throw new FilterError(`cannot compare ${field}: it has no numbers or times`);
  return { kind: 'range', field, comparison, value: numberIn(text, `behind ${comparison}`) };
}

function equal(field: string, values: readonly string[]): QueryNode {
  if (field === 'kind' && !values.every((value) => kinds.includes(value))) throw new FilterError(`must be one of ${kinds.join(', ')}`);
  if (field !== 'timestamp') return { kind: 'equals', field, values };
  return anyOf(values.map((value) => at(numberIn(value, 'for timestamp'))));
}

/** `timestamp` is a number: it equals what is neither less nor more. */
function at(value: number): QueryNode {
  return allOf([
    { kind: 'range', field: 'timestamp', comparison: '>=', value },
    { kind: 'range', field: 'timestamp', comparison: '<=', value },
  ]);
}

function numberIn(text: string, where: string): number {
  const value = numberOf(text);
  if (value === undefined) {
    throw new FilterError(`must have a number, or a time such as 2026-01-05 or 2026-01-05T10:00:00Z, ${where}; \\> and \\< are text`);
  }
  return value;
}

/** Cut at each bar that has no backslash before it. */
function valuesOf(text: string): string[] {
  const values = [''];
  for (const [, escaped, backslash, bar, plain] of text.matchAll(PIECE)) {
    if (backslash !== undefined)
      throw new FilterError('must have a backslash only in \\| \\\\ \\< and \\>, for these characters themselves');
    if (plain !== undefined && values.at(-1) === '' && COMPARISON.test(plain))
      throw new FilterError('must compare with one value only; \\> and \\< are text');
    if (bar !== undefined) values.push('');
    else values[values.length - 1] += escaped ?? plain ?? '';
    if (values.length > MAX_FILTER_VALUES) throw new FilterError(`must have at most ${MAX_FILTER_VALUES} values`);
  }
  for (const value of values) checkValue(value);
  return [...new Set(values)];
}

function checkValue(value: string): void {
  if (value === '') throw new FilterError('must not have an empty value');
  if (Buffer.byteLength(value) > MAX_FILTER_VALUE_BYTES)
    throw new FilterError(`must have values of at most ${MAX_FILTER_VALUE_BYTES} bytes`);
  if (value.includes('\0') || !value.isWellFormed()) throw new FilterError('must be well-formed Unicode without NUL');
}
