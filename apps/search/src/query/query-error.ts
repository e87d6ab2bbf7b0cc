import { InvalidArgumentError } from '@sky-genesis/grpc/rule-error';

/** @param position of the first character that is wrong, in characters (code points), from 1 */
export function queryError(position: number, description: string): InvalidArgumentError {
  return new InvalidArgumentError([{ field: 'query', description: `at position ${position}: ${description}` }]);
}
