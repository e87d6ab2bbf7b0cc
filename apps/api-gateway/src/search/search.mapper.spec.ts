import type { SearchResponse, SearchResult } from '@sky-genesis/proto';
import { fromSearchResponse, toSearchParameter, toSearchRequest } from './search.mapper';

const result: SearchResult = {
  id: 'doc_1',
  title: 'Enterprise Architecture',
  content: 'Enterprise architecture overview...',
  url: '/docs/architecture',
  score: 0.95,
  highlights: [],
  attributes: {},
  timestamp: '0',
  kind: 'document',
};
const response: SearchResponse = {
  results: [result],
  totalCount: 1,
  queryTimeMs: 45,
  nextPageToken: '',
  facets: [],
  indexedThroughMs: '1640995200500',
  degraded: false,
  degradedReason: '',
  totalCountIsLowerBound: false,
};

test('nothing asked for is the default of everything', () => {
  expect(toSearchRequest({})).toEqual({
    query: '',
    filters: [],
    limit: 0,
    offset: 0,
    pageToken: '',
    facets: [],
    sort: '',
    waitForId: '',
    kinds: [],
  });
});

test('every parameter is a field of the request', () => {
  const asked = toSearchRequest({
    q: 'a',
    filter: ['b:c', 'd:e'],
    limit: 1,
    offset: 2,
    page_token: 'f',
    facet: ['g', 'h'],
    sort: 'newest',
    kind: ['email'],
    wait_for_id: 'i',
  });
  expect(asked).toEqual({
    query: 'a',
    filters: ['b:c', 'd:e'],
    limit: 1,
    offset: 2,
    pageToken: 'f',
    facets: ['g', 'h'],
    sort: 'newest',
    waitForId: 'i',
    kinds: ['email'],
  });
});

test("an answer without anything new is the seed's, with the kind and how fresh it is", () => {
  expect(fromSearchResponse(response)).toEqual({
    results: [
      {
        id: 'doc_1',
        title: 'Enterprise Architecture',
        content: 'Enterprise architecture overview...',
        url: '/docs/architecture',
        score: 0.95,
        kind: 'document',
      },
    ],
    total_count: 1,
    query_time_ms: 45,
    indexed_through_ms: 1640995200500,
  });
});

test("the seed's fields are there even where they are empty", () => {
  const empty = { ...result, title: '', content: '', url: '', score: 0 };
  const answer = fromSearchResponse({ ...response, results: [empty], totalCount: 0, queryTimeMs: 0, indexedThroughMs: '0' });
  expect(answer).toEqual({
    results: [{ id: 'doc_1', title: '', content: '', url: '', score: 0, kind: 'document' }],
    total_count: 0,
    query_time_ms: 0,
    indexed_through_ms: 0,
  });
});

test('all that is new stands beside it; attributes are lists, numbers are numbers', () => {
  const attributes = { department: { values: ['it'] }, constructor: { values: ['a', 'b'] } };
  const answer = fromSearchResponse({
    ...response,
    results: [{ ...result, highlights: ['<mark>a</mark>'], attributes, timestamp: '1640995200' }],
    nextPageToken: 'next',
    facets: [
      { field: 'department', values: [{ value: 'it', count: '12' }] },
      { field: 'none', values: [] },
    ],
    degraded: true,
    degradedReason: 'why',
    totalCountIsLowerBound: true,
  });
  expect(answer).toMatchObject({
    results: [{ highlights: ['<mark>a</mark>'], attributes: { department: ['it'], constructor: ['a', 'b'] }, timestamp: 1640995200 }],
    next_page_token: 'next',
    facets: [
      { field: 'department', values: [{ value: 'it', count: 12 }] },
      { field: 'none', values: [] },
    ],
    degraded: true,
    degraded_reason: 'why',
    total_count_is_lower_bound: true,
  });
});

test.each([
  ['query', 'q'],
  ['filters', 'filter'],
  ['filters[0]', 'filter[0]'],
  ['facets[12]', 'facet[12]'],
  ['kinds[1]', 'kind[1]'],
  ['limit', 'limit'],
  ['page_token', 'page_token'],
  ['wait_for_id', 'wait_for_id'],
  ['sort', 'sort'],
])('%s of the contract is %s in REST', (contract, rest) => expect(toSearchParameter(contract)).toBe(rest));
