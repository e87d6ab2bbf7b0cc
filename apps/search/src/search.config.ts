import { randomBytes } from 'node:crypto';
import { type Environment, integer, optional, readConfig } from '@sky-genesis/config';
import { isServiceAddress } from '@sky-genesis/grpc';
import { listenSettings, serviceRules, serviceSettings } from '@sky-genesis/service';
import { z } from 'zod';
import { searchDatabaseSettings } from './database/search-database';
import { elasticsearchVariables } from './engines/elasticsearch/elasticsearch.settings';

/** 32 bytes as base64url. */
const KEY = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]=?$/;
const KEY_BYTES = 32;

export const searchSettings = z.object({
  ...listenSettings(50_052, 3002),
  GRPC_STREAM_IDLE_TIMEOUT: integer(1, 86_400, 120).describe(
    'Seconds after which IndexDocuments is ended when no message came and nothing is under way.',
  ),

  GRPC_MAIL_SERVICE_ADDR: z
    .string()
    .check(isServiceAddress)
    .default('localhost:50051')
    .describe(
      'The mail service, which answers searches for mail while the search engine is away: host:port, several separated by commas, dns:///name:port or etcd:///mail.',
    ),
  PAGE_TOKEN_KEY: optional()
    .refine((key) => key === undefined || KEY.test(key), `must be ${KEY_BYTES} random bytes as base64url`)
    .describe(
      `The key that seals page tokens: ${KEY_BYTES} random bytes as base64url, the same for all instances. Required with NODE_ENV=production; else each process makes its own.`,
    ),
  PAGE_TOKEN_SECONDS: integer(10, 86_400, 300).describe('How long a page token of a search is good for.'),
  ...searchDatabaseSettings,
  SEARCH_DATABASE_URL: searchDatabaseSettings.SEARCH_DATABASE_URL.optional().describe(
    searchDatabaseSettings.SEARCH_DATABASE_URL.description ?? '',
  ),
  ...elasticsearchVariables,
  ...serviceSettings,
});

export type SearchConfig = z.infer<typeof searchSettings> & { PAGE_TOKEN_KEY: string };

/** @throws ConfigError with every fault, each by the name of its variable */
export function readSearchConfig(environment: Environment): SearchConfig {
  const config = readConfig(searchSettings.check(...serviceRules).check(searchRules), environment);
  return {
    ...config,
    PAGE_TOKEN_KEY: config.PAGE_TOKEN_KEY ?? randomBytes(KEY_BYTES).toString('base64url'),
  };
}

/** Faults that no single setting shows; reported together with those of the single settings, whatever these are. */
const searchRules = z.superRefine<Partial<z.infer<typeof searchSettings>>>(
  ({ NODE_ENV, PAGE_TOKEN_KEY, SEARCH_DATABASE_URL, ELASTICSEARCH_URL }, report) => {
    const refuse = (name: string, message: string) => report.addIssue({ code: 'custom', path: [name], message });
    if (NODE_ENV === 'production' && PAGE_TOKEN_KEY === undefined) refuse('PAGE_TOKEN_KEY', 'is required with NODE_ENV=production');
    if (SEARCH_DATABASE_URL === undefined && ELASTICSEARCH_URL === undefined) {
      refuse('SEARCH_DATABASE_URL', 'or ELASTICSEARCH_URL must be set; where both are, Elasticsearch is used');
    }
  },
  { when: () => true },
);
