import { authRules, authSettings } from '@sky-genesis/auth';
import { type Environment, integer, port, readConfig } from '@sky-genesis/config';
import {
  drainSettings,
  grpcClientSettings,
  grpcSettings,
  isServiceAddress,
  meshRules,
  meshSettings,
  proxySettings,
} from '@sky-genesis/grpc';
import { observabilitySettings } from '@sky-genesis/observability';
import { z } from 'zod';

/** Every setting of the gateway: its name in the environment, its default, its bounds and what it does. */
export const gatewaySettings = z
  .object({
    NODE_ENV: z
      .enum(['development', 'test', 'production'])
      .default('development')
      .describe('`production` refuses what is for trying only.'),
    HTTP_HOST: z.string().default('127.0.0.1').describe('The address that REST is served on.'),
    HTTP_PORT: port(3000).describe('The port that REST is served on; 0: any free one.'),
    HTTP_REQUEST_TIMEOUT_SECONDS: integer(1, 3600, 60).describe(
      'The longest that a request may take to arrive, its headers 10 s at most; of one in bulk, or of a file, the longest that nothing may arrive.',
    ),
    HTTP_KEEPALIVE_TIMEOUT_SECONDS: integer(1, 3600, 65).describe('Seconds that a connection is kept between two requests.'),
    HTTP_MAX_CONNECTIONS: integer(1, 1_000_000, 4096).describe('Connections served at a time; more are closed at once.'),
    GRPC_MAIL_SERVICE_ADDR: z
      .string()
      .check(isServiceAddress)
      .default('localhost:50051')
      .describe('The mail service: host:port, several separated by commas, dns:///name:port or etcd:///mail.'),
    GRPC_SEARCH_SERVICE_ADDR: z
      .string()
      .check(isServiceAddress)
      .default('localhost:50052')
      .describe('The search service, in the same way. The gateway is ready without it.'),
    ...grpcSettings,
    ...grpcClientSettings,
    ...meshSettings,
    ...drainSettings,
    ...proxySettings,
    ...authSettings,
    ...observabilitySettings,
  })
  .check(authRules)
  .check(...meshRules);

export type GatewayConfig = z.infer<typeof gatewaySettings>;

/** @throws ConfigError naming every fault at once */
export const readGatewayConfig = (environment: Environment): GatewayConfig => readConfig(gatewaySettings, environment);
