import type { Facet, SearchRequest, SearchResponse, SearchResult } from '@sky-genesis/proto';
import type { z } from 'zod';
import type { searchAnswer, SearchQuery } from './search.schema';

type AnswerJson = z.output<typeof searchAnswer>;
type ResultJson = AnswerJson['results'][number];

export const toSearchRequest = (query: SearchQuery): SearchRequest => ({
  query: query.q ?? '',
  filters: query.filter ?? [],
  limit: query.limit ?? 0,
  offset: query.offset ?? 0,
  pageToken: query.page_token ?? '',
  facets: query.facet ?? [],
  sort: query.sort ?? '',
  waitForId: query.wait_for_id ?? '',
  kinds: query.kind ?? [],
});

const REST_NAMES = new Map([
  ['query', 'q'],
  ['filters', 'filter'],
  ['facets', 'facet'],
  ['kinds', 'kind'],
]);

/** What a search's fields are called in REST, where a list is a parameter that is given more than once. */
export const toSearchParameter = (field: string): string => field.replace(/^[a-z_]+/, (name) => REST_NAMES.get(name) ?? name);

/** The seed's fields are always there, and how fresh the answer is; what else is empty is left out. */
export const fromSearchResponse = (response: SearchResponse): AnswerJson => ({
  results: response.results.map(fromResult),
  total_count: response.totalCount,
  query_time_ms: response.queryTimeMs,
  indexed_through_ms: Number(response.indexedThroughMs),
  ...(response.nextPageToken && { next_page_token: response.nextPageToken }),
  ...(response.facets.length && { facets: response.facets.map(fromFacet) }),
  ...(response.degraded && { degraded: true, degraded_reason: response.degradedReason }),
  ...(response.totalCountIsLowerBound && { total_count_is_lower_bound: true }),
});

const fromResult = (result: SearchResult): ResultJson => ({
  id: result.id,
  title: result.title,
  content: result.content,
  url: result.url,
  score: result.score,
  kind: result.kind,
  ...(result.highlights.length && { highlights: result.highlights }),
  ...(Object.keys(result.attributes).length && { attributes: fromAttributes(result.attributes) }),
  ...(Number(result.timestamp) && { timestamp: Number(result.timestamp) }),
});

const fromAttributes = (attributes: SearchResult['attributes']): Record<string, string[]> =>
  Object.fromEntries(Object.entries(attributes).map(([name, { values }]) => [name, values]));

const fromFacet = ({ field, values }: Facet): NonNullable<AnswerJson['facets']>[number] => ({
  field,
  values: values.map(({ value, count }) => ({ value, count: Number(count) })),
});
