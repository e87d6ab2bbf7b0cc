import { resolve } from 'node:path';
import { authSettings } from '@sky-genesis/auth';
import { type Environment, integer, optional, port, readConfig } from '@sky-genesis/config';
import { z } from 'zod';

/** What `npm start` and `npm run token` can be told. Everything else in the environment goes on to the apps as it is. */
export const stackSchema = z.object({
  SGE_DATA_DIR: z
    .string()
    .default('.data')
    .describe('The folder that keeps everything of the embedded stack: database, inbox, keys, logs.'),
  SGE_HTTP_PORT: port(3000).describe('Where the gateway of the embedded stack listens, on loopback; 0: any free port.'),
  SGE_MAIL_GRPC_PORT: port(50_051).describe('Where mail of the embedded stack listens for gRPC, on loopback; 0: any free port.'),
  SGE_MAIL_HEALTH_PORT: port(3001).describe(
    'Where mail of the embedded stack listens for health and metrics, on loopback; 0: any free port.',
  ),
  SGE_SEARCH_GRPC_PORT: port(50_052).describe('Where search of the embedded stack listens for gRPC, on loopback; 0: any free port.'),
  SGE_SEARCH_HEALTH_PORT: port(3002).describe(
    'Where search of the embedded stack listens for health and metrics, on loopback; 0: any free port.',
  ),
  SGE_SMTP_SINK_PORT: port(2525).describe('Where the built-in SMTP sink listens, on loopback; 0: any free port.'),
  SGE_EDGE: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether the embedded stack has an edge, nginx with HTTP/3, where it can be had: on Debian, or on Linux with Docker.'),
  SGE_EDGE_PORT: port(8443).describe('Where the edge of the embedded stack listens, UDP and TCP, on loopback; 0: any free port.'),
  SGE_STEADY_SECONDS: integer(1, 3600, 60).describe(
    'A process of the embedded stack that ends is started again; one that ends 20 times in a row, each before it ran for this long, is given up.',
  ),
  DATABASE_URL: optional().describe(
    'The PostgreSQL to use (postgresql://user:password@host:port/database); the embedded stack brings its own without it.',
  ),
  SEARCH_DATABASE_URL: optional().describe(
    'The PostgreSQL that search uses; the embedded stack has one beside that of mail without it, or uses that of DATABASE_URL.',
  ),
  ELASTICSEARCH_URL: optional().describe('The Elasticsearch to search with; the embedded stack searches in PostgreSQL without it.'),
  MAIL_RELAY_URL: optional().describe(
    'The SMTP relay that takes the mails (smtp:// or smtps://); the embedded stack uses its sink without it.',
  ),
  ...authSettings,
  AUTH_ISSUER: authSettings.AUTH_ISSUER.default('sge-local').describe(authSettings.AUTH_ISSUER.description ?? ''),
  AUTH_AUDIENCE: authSettings.AUTH_AUDIENCE.default('sge').describe(authSettings.AUTH_AUDIENCE.description ?? ''),
});

export type StackConfig = z.infer<typeof stackSchema>;

/**
 * The data folder comes as a full path.
 * @throws ConfigError
 */
export function readStackConfig(environment: Environment): StackConfig {
  const config = readConfig(stackSchema, environment);
  return { ...config, SGE_DATA_DIR: resolve(config.SGE_DATA_DIR) };
}

/** Whether the caller brings keys for tokens; the stack makes a secret of its own only when not. */
export const bringsTokenKeys = (config: StackConfig): boolean =>
  [config.AUTH_SECRET, config.AUTH_JWKS_URI, config.AUTH_PUBLIC_KEY].some((key) => key !== undefined);
