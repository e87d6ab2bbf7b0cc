import { anonymousRules, anonymousSettings, authRules, authSettings } from '@sky-genesis/auth';
import { integer, port } from '@sky-genesis/config';
import { grpcClientSettings, grpcServerSettings, grpcSettings, meshRules, meshSettings, proxySettings } from '@sky-genesis/grpc';
import { observabilitySettings } from '@sky-genesis/observability';
import { z } from 'zod';

/** Where a gRPC service listens; its schema spreads them. */
export const listenSettings = (grpcPort: number, healthPort: number) => ({
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development').describe('production refuses what is only for trying.'),
  GRPC_PORT: integer(1, 65_535, grpcPort).describe('The port that gRPC listens on.'),
  HEALTH_HOST: z.string().default('127.0.0.1').describe('The address that health and metrics listen on (HTTP).'),
  HEALTH_PORT: port(healthPort).describe('The port of /health/live, /health/ready, /health/startup and /metrics.'),
  ...anonymousSettings,
});

/** What else every gRPC service is told; its schema spreads them. */
export const serviceSettings = {
  ...grpcSettings,
  ...grpcServerSettings,
  ...meshSettings,
  ...grpcClientSettings,
  ...proxySettings,
  ...authSettings,
  ...observabilitySettings,
};

export type ServiceConfig = z.infer<z.ZodObject<ReturnType<typeof listenSettings> & typeof serviceSettings>>;

/** What they say together: `.check(...serviceRules)`. */
export const serviceRules = [authRules, anonymousRules, ...meshRules] as const;

/** Whether grpc.reflection tells the schema. */
export const isReflecting = ({ GRPC_REFLECTION, NODE_ENV }: Pick<ServiceConfig, 'GRPC_REFLECTION' | 'NODE_ENV'>): boolean =>
  GRPC_REFLECTION ?? NODE_ENV !== 'production';
