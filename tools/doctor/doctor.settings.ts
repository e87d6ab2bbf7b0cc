import { type Environment, optional, readConfig } from '@sky-genesis/config';
import { gatewaySettings } from '@sky-genesis/api-gateway/gateway.config';
import { etcdSettings, tlsSettings } from '@sky-genesis/grpc';
import { mailSettings } from '@sky-genesis/mail/mail.config';
import { searchSettings } from '@sky-genesis/search/search.config';
import { z } from 'zod';

const { shape: gateway } = gatewaySettings;
const { shape: mail } = mailSettings;
const { shape: search } = searchSettings;
const edge = (byDefault: string) => z.string().default(byDefault);

/** Where the parts are and how they are spoken to, under the names and defaults of the apps. */
const settings = {
  HTTP_HOST: gateway.HTTP_HOST,
  HTTP_PORT: gateway.HTTP_PORT,
  GRPC_MAIL_SERVICE_ADDR: gateway.GRPC_MAIL_SERVICE_ADDR,
  GRPC_SEARCH_SERVICE_ADDR: gateway.GRPC_SEARCH_SERVICE_ADDR,
  GRPC_MAX_MESSAGE_SIZE: gateway.GRPC_MAX_MESSAGE_SIZE,
  GRPC_TIMEOUT: gateway.GRPC_TIMEOUT,
  GRPC_STREAM_IDLE_TIMEOUT: mail.GRPC_STREAM_IDLE_TIMEOUT,
  GRPC_TLS_CERT: tlsSettings.GRPC_TLS_CERT,
  GRPC_TLS_KEY: tlsSettings.GRPC_TLS_KEY,
  GRPC_TLS_CA: tlsSettings.GRPC_TLS_CA,
  ...etcdSettings,
  DATABASE_URL: mail.DATABASE_URL,
  DATABASE_POOL_SIZE: mail.DATABASE_POOL_SIZE,
  SEARCH_DATABASE_URL: search.SEARCH_DATABASE_URL,
  SEARCH_DATABASE_POOL_SIZE: search.SEARCH_DATABASE_POOL_SIZE,
  ELASTICSEARCH_URL: search.ELASTICSEARCH_URL,
  ELASTICSEARCH_API_KEY: search.ELASTICSEARCH_API_KEY,
  ELASTICSEARCH_USERNAME: search.ELASTICSEARCH_USERNAME,
  ELASTICSEARCH_PASSWORD: search.ELASTICSEARCH_PASSWORD,
  ELASTICSEARCH_CA: search.ELASTICSEARCH_CA,
  MAIL_RELAY_URL: mail.MAIL_RELAY_URL,
  MAIL_RELAY_REQUIRE_TLS: mail.MAIL_RELAY_REQUIRE_TLS,
  MAIL_RELAY_CA: mail.MAIL_RELAY_CA,
  MAIL_RELAY_EHLO_NAME: mail.MAIL_RELAY_EHLO_NAME,
  MAIL_WORKER: mail.MAIL_WORKER,
  EDGE_PORT: optional(),
  EDGE_DIR: edge('/var/lib/edge'),
  EDGE_TLS_CERT: optional(),
  EDGE_STREAM_IDLE_SECONDS: edge('150'),
  EDGE_DRAIN_SECONDS: edge('40'),
};

export type DoctorSettings = Partial<z.infer<z.ZodObject<typeof settings>>>;

/** Each setting by itself: one that is wrong is left out, and told by the check of the settings. */
export function readWhatCanBeRead(environment: Environment): DoctorSettings {
  const read = Object.entries(settings).map(([name, setting]) => readOne(name, setting, environment));
  return Object.assign({}, ...read) as DoctorSettings;
}

function readOne(name: string, setting: z.ZodType, environment: Environment): Record<string, unknown> {
  try {
    return readConfig(z.object({ [name]: setting }), environment);
  } catch {
    return {};
  }
}
