import { PositionLostError } from '../search.engine';

/** A place in the answer to a search: in which snapshot of the index, and behind which values of its order. */
export interface Position {
  snapshot: string;
  behind: readonly (string | number)[];
}

const MAX_POSITION_CHARACTERS = 2000;

/** @throws Error where a position would be longer than may be told: the snapshot names every shard */
export function writePosition({ snapshot, behind }: Position): string {
  const position = JSON.stringify([snapshot, ...behind]);
  if (position.length > MAX_POSITION_CHARACTERS) throw new Error(`a position of ${position.length} characters: too many shards`);
  return position;
}

/** @throws PositionLostError */
export function readPosition(text: string): Position {
  const [snapshot, ...behind] = parse(text);
  const values = behind.filter((value): value is string | number => typeof value === 'string' || typeof value === 'number');
  if (typeof snapshot !== 'string' || values.length === 0 || values.length !== behind.length) throw new PositionLostError();
  return { snapshot, behind: values };
}

function parse(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch (error) {
    throw new PositionLostError({ cause: error });
  }
}
