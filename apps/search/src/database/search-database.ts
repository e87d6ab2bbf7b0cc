import { integer } from '@sky-genesis/config';
import type { DatabaseSettings } from '@sky-genesis/database/database.settings';
import { z } from 'zod';
import { migrations } from './migrations';

/** What the embedded engine needs; nothing of it is read where ELASTICSEARCH_URL is set. */
export const searchDatabaseSettings = {
  SEARCH_DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .describe(
      'PostgreSQL of the embedded search engine, such as postgres://user:password@host:5432/search; 18 or later, with the extensions btree_gin, pg_trgm and fuzzystrmatch. Needed unless ELASTICSEARCH_URL is set.',
    ),
  SEARCH_DATABASE_POOL_SIZE: integer(4, 200, 12).describe('Connections to PostgreSQL of one process of search, at most.'),
};

/**
 * A row is small, its terms are kept apart and large, and the planner does not know what reading them costs: it would
 * rather read every row than the index. A search is one of many, so that it takes one core.
 */
const PLANNER = '-c jit=off -c enable_seqscan=off -c random_page_cost=1.1 -c max_parallel_workers_per_gather=0';

/** Behind what the operator's own URL asks for. */
function withPlanner(given: string): string {
  const url = new URL(given);
  const options = url.searchParams.get('options');
  url.searchParams.set('options', options === null ? PLANNER : `${options} ${PLANNER}`);
  return url.href;
}

/** How search speaks to its database. */
export const searchDatabase = (config: {
  SEARCH_DATABASE_URL: string;
  SEARCH_DATABASE_POOL_SIZE: number;
  GRPC_TIMEOUT: number;
}): DatabaseSettings => ({
  url: withPlanner(config.SEARCH_DATABASE_URL),
  poolSize: config.SEARCH_DATABASE_POOL_SIZE,
  callMs: config.GRPC_TIMEOUT * 1000,
  applicationName: 'sge-search',
  migrations,
  migrationsTable: 'search_migrations',
});
