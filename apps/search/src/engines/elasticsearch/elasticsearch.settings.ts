import { X509Certificate } from 'node:crypto';
import { integer, optional } from '@sky-genesis/config';
import { z } from 'zod';

/** How the engine reaches its server, and what it makes there. */
export interface ElasticsearchSettings {
  url: string;
  apiKey?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  /** PEM. */
  ca?: string | undefined;
  indexPrefix: string;
  shards: number;
  /** auto: one where there is a second node to hold it. */
  replicas: number | 'auto';
  /** How long a request may take that nothing else bounds. */
  timeoutMs: number;
}

export const elasticsearchVariables = {
  ELASTICSEARCH_URL: z
    .url({ protocol: /^https?$/ })
    .refine((url) => new URL(url).username === '', 'takes no password: it has a setting of its own')
    .optional()
    .describe('Elasticsearch 8.19 or 9, such as https://host:9200. Empty: documents are kept and searched in PostgreSQL.'),
  ELASTICSEARCH_API_KEY: optional().describe('The API key for it, as Elasticsearch encodes it (base64).'),
  ELASTICSEARCH_USERNAME: optional().describe('The user for it, where there is no API key.'),
  ELASTICSEARCH_PASSWORD: optional().describe("That user's password."),
  ELASTICSEARCH_CA: optional()
    .refine(isCertificate, 'must be certificates as PEM')
    .describe('PEM of the certificate authorities that it may be signed by, instead of the public ones.'),
  ELASTICSEARCH_INDEX_PREFIX: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be small letters, digits and -, 64 at most, beginning with a letter')
    .default('sge-documents')
    .describe('What the names of its indices and aliases begin with.'),
  ELASTICSEARCH_SHARDS: integer(1, 16, 1).describe('Shards of an index made from now on; another number takes `npm run search:reindex`.'),
  ELASTICSEARCH_REPLICAS: z
    .string()
    .regex(/^(auto|[0-5])$/, 'must be auto or 0 to 5')
    .default('auto')
    .describe('Copies of each shard in an index made from now on. auto: one where there is a second node.'),
  ELASTICSEARCH_TIMEOUT: integer(1, 300, 30).describe('Seconds that a request to it may take which no deadline of a caller bounds.'),
};

const schema = z.object(elasticsearchVariables);

/** Undefined without ELASTICSEARCH_URL: the engine is another one. */
export function elasticsearchSettings(config: z.infer<typeof schema>): ElasticsearchSettings | undefined {
  if (config.ELASTICSEARCH_URL === undefined) return undefined;
  return {
    url: config.ELASTICSEARCH_URL,
    apiKey: config.ELASTICSEARCH_API_KEY,
    username: config.ELASTICSEARCH_USERNAME,
    password: config.ELASTICSEARCH_PASSWORD,
    ca: config.ELASTICSEARCH_CA,
    indexPrefix: config.ELASTICSEARCH_INDEX_PREFIX,
    shards: config.ELASTICSEARCH_SHARDS,
    replicas: config.ELASTICSEARCH_REPLICAS === 'auto' ? 'auto' : Number(config.ELASTICSEARCH_REPLICAS),
    timeoutMs: config.ELASTICSEARCH_TIMEOUT * 1000,
  };
}

function isCertificate(pem: string | undefined): boolean {
  try {
    return pem === undefined || new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
