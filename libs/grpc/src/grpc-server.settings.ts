import { integer, optionalFlag } from '@sky-genesis/config';
import { registrationSettings } from './discovery/discovery.settings';
import { z } from 'zod';

/** How a process stops, whatever it serves. */
export const drainSettings = {
  DRAIN_NOTICE_SECONDS: integer(0, 300, 3).describe(
    'After SIGTERM: how long everything is still served while health says NOT_SERVING and readiness 503, so that callers go elsewhere.',
  ),
  DRAIN_SECONDS: integer(0, 3600, 20).describe('After that: how long what runs may take to end, before it is cut.'),
};

export type DrainSettings = z.infer<z.ZodObject<typeof drainSettings>>;

/** Settings of an app with a gRPC server. */
export const grpcServerSettings = {
  GRPC_HOST: z.string().default('127.0.0.1').describe('The address that gRPC listens on.'),
  GRPC_REFLECTION: optionalFlag().describe(
    'Whether grpc.reflection tells the schema, to everyone. Default: false with NODE_ENV=production, else true.',
  ),
  GRPC_STREAMS_PER_TENANT: integer(1, 10_000, 32).describe('Open streams of one tenant in one process, at most.'),
  GRPC_CONNECTION_AGE_SECONDS: integer(10, 86_400, 1800).describe(
    'When a connection is told to be made anew, so that load spreads to new instances and new certificates count; give or take a tenth. Calls on it end as they would.',
  ),
  ...registrationSettings,
  ...drainSettings,
};

export type GrpcServerLimits = z.infer<z.ZodObject<typeof grpcServerSettings>>;
