import { LOOPBACK } from './loopback-ports';
import type { SecretFiles } from './secrets';
import { bringsTokenKeys, type StackConfig } from './stack.config';

export interface StackPorts {
  gateway: number;
  mail_grpc: number;
  mail_health: number;
  /** Not there when MAIL_RELAY_URL is set. */
  smtp_sink?: number;
}

/**
 * What mail and gateway get to see: the person's own environment, completed. How the parts find each other is the
 * stack's alone to say.
 */
export function appEnvironment(
  own: NodeJS.ProcessEnv,
  config: StackConfig,
  ports: StackPorts,
  secrets: SecretFiles,
  databaseUrl: string | undefined,
): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    GRPC_HOST: LOOPBACK,
    HEALTH_HOST: LOOPBACK,
    HTTP_HOST: LOOPBACK,
    ...own,
    GRPC_PORT: String(ports.mail_grpc),
    HEALTH_PORT: String(ports.mail_health),
    HTTP_PORT: String(ports.gateway),
    GRPC_MAIL_SERVICE_ADDR: `${LOOPBACK}:${ports.mail_grpc}`,
  };
  const fill = (name: string, value: string): void => {
    if (!environment[name] && !environment[`${name}_FILE`]) environment[name] = value;
  };
  if (!bringsTokenKeys(config)) environment['AUTH_SECRET_FILE'] = secrets.authSecret;
  fill('AUTH_ISSUER', config.AUTH_ISSUER);
  fill('AUTH_AUDIENCE', config.AUTH_AUDIENCE);
  if (config.SERVICE_KEY === undefined) environment['SERVICE_KEY_FILE'] = secrets.serviceKey;
  if (databaseUrl !== undefined) environment['DATABASE_URL'] = databaseUrl;
  if (ports.smtp_sink !== undefined) environment['MAIL_RELAY_URL'] = `smtp://${LOOPBACK}:${ports.smtp_sink}`;
  return environment;
}
