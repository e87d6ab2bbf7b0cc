import { DataFolder } from './data-folder';
import { LOOPBACK } from './loopback-ports';
import type { SecretFiles } from './secrets';
import { bringsTokenKeys, type StackConfig } from './stack.config';

export interface StackPorts {
  gateway: number;
  mail_grpc: number;
  mail_health: number;
  search_grpc: number;
  search_health: number;
  /** Not there when MAIL_RELAY_URL is set. */
  smtp_sink?: number;
  /** UDP and TCP. Not there where no nginx can be had. */
  edge?: number;
}

/** What each app gets to see. */
export interface AppEnvironments {
  mail: NodeJS.ProcessEnv;
  search: NodeJS.ProcessEnv;
  gateway: NodeJS.ProcessEnv;
}

/** Of the embedded PostgreSQL. */
export interface EmbeddedUrls {
  mail: string;
  search: string;
}

/**
 * The person's own environment, completed for each app. How the parts find each other is the stack's alone to say.
 * @param embedded undefined where the person brings a database of their own
 */
export function appEnvironments(
  own: NodeJS.ProcessEnv,
  config: StackConfig,
  ports: StackPorts,
  secrets: SecretFiles,
  embedded: EmbeddedUrls | undefined,
): AppEnvironments {
  const environment: NodeJS.ProcessEnv = {
    GRPC_HOST: LOOPBACK,
    HEALTH_HOST: LOOPBACK,
    HTTP_HOST: LOOPBACK,
    // Nobody but the stack leads callers here.
    DRAIN_NOTICE_SECONDS: '0',
    ...own,
    HTTP_PORT: String(ports.gateway),
    GRPC_MAIL_SERVICE_ADDR: `${LOOPBACK}:${ports.mail_grpc}`,
    GRPC_SEARCH_SERVICE_ADDR: `${LOOPBACK}:${ports.search_grpc}`,
  };
  const isGiven = (name: string): boolean => Boolean(environment[name] || environment[`${name}_FILE`]);
  if (!bringsTokenKeys(config)) environment['AUTH_SECRET_FILE'] = secrets.authSecret;
  if (!isGiven('AUTH_ISSUER')) environment['AUTH_ISSUER'] = config.AUTH_ISSUER;
  if (!isGiven('AUTH_AUDIENCE')) environment['AUTH_AUDIENCE'] = config.AUTH_AUDIENCE;
  if (!isGiven('PAGE_TOKEN_KEY')) environment['PAGE_TOKEN_KEY_FILE'] = secrets.pageTokenKey;
  if (config.SERVICE_KEY === undefined) environment['SERVICE_KEY_FILE'] = secrets.serviceKey;
  if (!isGiven('FILES_DIR')) environment['FILES_DIR'] = new DataFolder(config.SGE_DATA_DIR).files;
  if (embedded) environment['DATABASE_URL'] = embedded.mail;
  if (ports.smtp_sink !== undefined) environment['MAIL_RELAY_URL'] = `smtp://${LOOPBACK}:${ports.smtp_sink}`;
  // Without one of its own it is in mail's: their tables have different names.
  const searchDatabase = embedded?.search ?? config.DATABASE_URL;
  if (!isGiven('SEARCH_DATABASE_URL') && searchDatabase !== undefined) environment['SEARCH_DATABASE_URL'] = searchDatabase;
  return {
    mail: { ...environment, GRPC_PORT: String(ports.mail_grpc), HEALTH_PORT: String(ports.mail_health) },
    search: { ...environment, GRPC_PORT: String(ports.search_grpc), HEALTH_PORT: String(ports.search_health) },
    gateway: environment,
  };
}
