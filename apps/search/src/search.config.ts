import { randomBytes } from 'node:crypto';
import { anonymousRules, anonymousSettings, authRules, authSettings } from '@sky-genesis/auth';
import { type Environment, integer, optional, port, readConfig } from '@sky-genesis/config';
import {
  grpcClientSettings,
  grpcServerSettings,
  grpcSettings,
  isServiceAddress,
  meshRules,
  meshSettings,
  proxySettings,
} from '@sky-genesis/grpc';
import { observabilitySettings } from '@sky-genesis/observability';
import { z } from 'zod';
import { searchDatabaseSettings } from './database/search-database';
import { elasticsearchVariables } from './engines/elasticsearch/elasticsearch.settings';

/** 32 bytes as base64url. */
const KEY = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]=?$/;
const KEY_BYTES = 32;

export const searchSettings = z.object({
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development').describe('production refuses what is only for trying.'),
  GRPC_PORT: integer(1, 65_535, 50_052).describe('The port that gRPC listens on.'),
  HEALTH_HOST: z.string().default('127.0.0.1').describe('The address that health and metrics listen on (HTTP).'),
  HEALTH_PORT: port(3002).describe('The port of /health/live, /health/ready, /health/startup and /metrics.'),
  ...anonymousSettings,
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
  ...grpcSettings,
  ...grpcServerSettings,
  ...meshSettings,
  ...grpcClientSettings,
  ...proxySettings,
  ...authSettings,
  ...observabilitySettings,
});

export type SearchConfig = z.infer<typeof searchSettings> & { GRPC_REFLECTION: boolean; PAGE_TOKEN_KEY: string };

/** @throws ConfigError with every fault, each by the name of its variable */
export function readSearchConfig(environment: Environment): SearchConfig {
  const config = readConfig(
    searchSettings
      .check(authRules)
      .check(anonymousRules)
      .check(searchRules)
      .check(...meshRules),
    environment,
  );
  return {
    ...config,
    GRPC_REFLECTION: config.GRPC_REFLECTION ?? config.NODE_ENV !== 'production',
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
