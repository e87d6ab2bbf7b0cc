import { textAttributes } from '../../query/query';
import { type FieldText, highlight } from '../../text/highlight';
import type { TextMatches } from '../../text/text-matches';
import type { Hit, Kind } from '../search.engine';
import { writePosition } from './position';

export interface HitRow {
  id: string;
  kind: Kind;
  title: string;
  beginning: string;
  url: string;
  attributes: Record<string, string[]>;
  timestamp: number;
  rank: number;
  snapshot: string;
}

/** Half of the score is reached at this rank: a word said once in the content scores 0.25, one in the title 0.8. */
const HALF_SCORE_RANK = 0.15;

/** @param ranked whether anything was asked that ranks @param snapshot of the first page */
export function toHit(row: HitRow, highlights: string[], ranked: boolean, snapshot: string): Hit {
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    content: row.beginning,
    url: row.url,
    score: ranked ? scoreOf(row.rank) : 1,
    highlights,
    attributes: row.attributes,
    timestamp: row.timestamp,
    position: writePosition({ snapshot, rank: row.rank, timestamp: row.timestamp, id: row.id }),
  };
}

export function highlightsOf({ title, attributes }: HitRow, content: string, matches: TextMatches): string[] {
  const names = textAttributes.flatMap((field): FieldText[] =>
    (Object.hasOwn(attributes, field) ? (attributes[field] ?? []) : []).map((text) => ({ field, text })),
  );
  return highlight(matches, [{ field: 'title', text: title }, ...names, { field: 'content', text: content }]);
}

const scoreOf = (rank: number): number => Math.round((rank / (rank + HALF_SCORE_RANK)) * 10_000) / 10_000;
