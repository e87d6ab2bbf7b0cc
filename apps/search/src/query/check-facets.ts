import { type FieldViolation, InvalidArgumentError } from '@sky-genesis/grpc/rule-error';
import { fieldNameRule, isBuiltInField, isFieldName } from './field-name';
import { MAX_FACETS } from './query-limits';

/**
 * The fields whose values are to be counted: attributes, or `kind`.
 * @throws InvalidArgumentError that names each wrong one
 */
export function checkFacets(fields: readonly string[]): string[] {
  if (fields.length > MAX_FACETS) throw new InvalidArgumentError([{ field: 'facets', description: `must be at most ${MAX_FACETS}` }]);
  const violations = fields.flatMap((field, index): FieldViolation[] => {
    const description = faultOf(field, fields.indexOf(field) < index);
    return description === undefined ? [] : [{ field: `facets[${index}]`, description }];
  });
  if (violations.length > 0) throw new InvalidArgumentError(violations);
  return [...fields];
}

function faultOf(field: string, isRepeated: boolean): string | undefined {
  if (!isFieldName(field)) return fieldNameRule;
  if (field !== 'kind' && isBuiltInField(field)) return `cannot be ${field}: only attributes and kind are counted`;
  if (isRepeated) return 'is given twice';
  return undefined;
}
