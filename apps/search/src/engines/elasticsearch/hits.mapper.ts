import { textAttributes } from '../../query/query';
import type { Answer, Hit, SearchQuestion } from '../search.engine';
import type { DocumentSource } from './document.mapper';
import { exactField } from './query.mapper';
import { MAX_HIGHLIGHTED_CHARACTERS } from './index-template';
import { writePosition } from './positions';

export interface FoundHit {
  _score: number | null;
  _source: DocumentSource;
  sort: (string | number)[];
  highlight?: Record<string, string[]>;
}

/** What Elasticsearch answers a search with, as far as it is read. */
export interface Found {
  pit_id?: string;
  timed_out: boolean;
  _shards: { total: number; failed: number; failures?: { reason?: { type?: string } }[] };
  hits: { total: { value: number; relation: 'eq' | 'gte' }; hits: FoundHit[] };
  aggregations?: Record<string, { buckets: { key: string; doc_count: number }[] }>;
}

const MAX_FRAGMENTS = 5;
const FRAGMENT_CHARACTERS = 150;
const FACET_VALUES = 20;
/** More than are told, so that what is frequent over all shards is found though it is not in some. */
const FACET_VALUES_OF_A_SHARD = 200;
/** A word in the content alone gives a half; more and better ones come closer to 1. */
const HALF_SCORE = 1;

export const sourceFields = ['id', 'kind', 'url', 'timestamp', 'title', 'beginning', 'attributes'] satisfies (keyof DocumentSource)[];

/** The order of an answer; the id decides between what is equal. */
export function sortOf(sort: SearchQuestion['sort'], ranked: boolean): object[] {
  const newest = { timestamp: 'desc' };
  const byId = { id: 'asc' };
  if (sort === 'oldest') return [{ timestamp: 'asc' }, byId];
  return sort === 'relevance' && ranked ? [{ _score: 'desc' }, newest, byId] : [newest, byId];
}

/** Matches are marked in pieces of the text that is otherwise escaped. */
export const highlightParts = {
  type: 'unified',
  encoder: 'html',
  pre_tags: ['<mark>'],
  post_tags: ['</mark>'],
  fragment_size: FRAGMENT_CHARACTERS,
  max_analyzed_offset: MAX_HIGHLIGHTED_CHARACTERS,
  fields: {
    title: { number_of_fragments: 1 },
    ...Object.fromEntries(textAttributes.map((name) => [name, { number_of_fragments: 2 }])),
    content: { number_of_fragments: MAX_FRAGMENTS },
  },
};

export const facetParts = (facets: readonly string[]): object =>
  Object.fromEntries(
    facets.map((field, index) => [
      `facet${index}`,
      { terms: { field: exactField(field), size: FACET_VALUES, shard_size: FACET_VALUES_OF_A_SHARD } },
    ]),
  );

/** @param snapshot what the search was made in */
export function answerOf(found: Found, question: SearchQuestion, ranked: boolean, snapshot: string): Answer {
  const shown = found.hits.hits.slice(0, question.limit);
  const { value, relation } = found.hits.total;
  const degraded = degradedOf(found);
  return {
    hits: shown.map((hit) => hitOf(hit, ranked, found.pit_id ?? snapshot)),
    more: found.hits.hits.length > shown.length,
    total: value,
    totalIsLowerBound: relation === 'gte',
    facets: question.facets.map((field, index) => ({
      field,
      values: (found.aggregations?.[`facet${index}`]?.buckets ?? []).map(({ key, doc_count }) => ({ value: key, count: doc_count })),
    })),
    ...(degraded !== undefined && { degraded }),
  };
}

/** Why there may be more than was found, in words for the caller. */
export function degradedOf({ timed_out, _shards: { total, failed } }: Found): string | undefined {
  if (failed > 0) return `${failed} of ${total} shards did not answer`;
  return timed_out ? 'the search ran out of time before all was looked at' : undefined;
}

function hitOf({ _score, _source, sort, highlight = {} }: FoundHit, ranked: boolean, snapshot: string): Hit {
  const { id, kind, title, beginning, url, attributes, timestamp } = _source;
  return {
    id,
    kind,
    title,
    content: beginning,
    url,
    score: ranked ? scoreOf(_score ?? 0) : 1,
    highlights: ['title', ...textAttributes, 'content'].flatMap((field) => highlight[field] ?? []).slice(0, MAX_FRAGMENTS),
    attributes,
    timestamp,
    position: writePosition({ snapshot, behind: sort }),
  };
}

/** Between 0 and 1, higher where Elasticsearch's own is; what it is does not depend on what else was found. */
export const scoreOf = (score: number): number => Math.round((score / (score + HALF_SCORE)) * 10_000) / 10_000;
