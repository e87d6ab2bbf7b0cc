import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type * as engineFile from '../apps/search/src/engines/elasticsearch/elasticsearch.engine';
import type { SearchQuestion } from '../apps/search/src/engines/search.engine';
import type * as filtersFile from '../apps/search/src/query/parse-filters';
import type * as queryFile from '../apps/search/src/query/parse-query';
import { type DirectQuery, QueryRecorder } from './direct-queries';
import type { QueryKind, SearchQuery } from './search-queries';

/** As seen from bench/dist: search as it is built, which is no package. */
const SEARCH = resolve(__dirname, '../../apps/search/dist');
const load = createRequire(__filename);
const part = <Part>(name: string): Part => load(join(SEARCH, name)) as Part;

export interface RecordedQueries {
  /** What is searched: an alias or index. */
  searched: string;
  byKind: Map<string, DirectQuery[]>;
}

/** What search sends to Elasticsearch for each of the queries. */
export async function recordQueries(
  url: string,
  indexPrefix: string,
  tenant: string,
  kinds: readonly QueryKind[],
): Promise<RecordedQueries> {
  const { ElasticsearchEngine } = part<typeof engineFile>('engines/elasticsearch/elasticsearch.engine');
  const recorder = await QueryRecorder.start(url);
  const engine = new ElasticsearchEngine({ url: recorder.url, indexPrefix, shards: 1, replicas: 'auto', timeoutMs: 60_000 });
  try {
    await engine.prepare();
    const byKind = new Map<string, DirectQuery[]>();
    for (const { name, queries, pages = 1 } of kinds) {
      recorder.take();
      for (const query of queries) {
        let after: string | undefined;
        for (let page = 0; page < pages && (page === 0 || after !== undefined); page++) {
          const { hits, more } = await engine.search({ ...questionOf(tenant, query), ...(after !== undefined && { after, offset: 0 }) });
          after = more ? hits.at(-1)?.position : undefined;
        }
      }
      byKind.set(name, recorder.take());
    }
    return { searched: recorder.searched, byKind };
  } finally {
    await engine.close();
    await recorder.close();
  }
}

function questionOf(tenant: string, { query, filters = [], facets = [], limit, offset = 0 }: SearchQuery): SearchQuestion {
  const { parseQuery } = part<typeof queryFile>('query/parse-query');
  const { parseFilters } = part<typeof filtersFile>('query/parse-filters');
  return {
    tenant,
    kinds: ['email', 'document'],
    where: { kind: 'all', of: [parseQuery(query), parseFilters(filters)] },
    sort: 'relevance',
    limit,
    offset,
    facets,
    signal: new AbortController().signal,
    timeoutMs: 60_000,
  };
}
