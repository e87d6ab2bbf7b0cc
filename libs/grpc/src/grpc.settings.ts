import { type z } from 'zod';
import { integer } from '@sky-genesis/config';
import { compressionSettings } from './compression/compression.settings';

/** Settings that every gRPC server and client shares; an app's schema spreads them. */
export const grpcSettings = {
  GRPC_MAX_MESSAGE_SIZE: integer(1024, 67_108_864, 4_194_304).describe('The largest message on both wires, in bytes.'),
  GRPC_KEEPALIVE_TIME: integer(10, 86_400, 600).describe('Seconds without traffic before a connection is probed by a PING.'),
  GRPC_TIMEOUT: integer(1, 3600, 30).describe('The longest that a unary call may take, in seconds; a caller may ask for less.'),
  ...compressionSettings,
};

export type GrpcSettings = z.infer<z.ZodObject<typeof grpcSettings>>;

/** Settings of an app that calls services. */
export const grpcClientSettings = {
  GRPC_POOL_SIZE: integer(1, 16, 1).describe(
    'Connections to each instance of a service; streams and files have as many of their own. More than one where one core of the other side is not enough.',
  ),
  GRPC_SEARCH_HEDGING_MS: integer(0, 60_000, 0).describe(
    'Milliseconds after which a search that has no answer is asked of a second instance, too; the first answer counts. 0: never.',
  ),
};

export type GrpcClientSettings = z.infer<z.ZodObject<typeof grpcClientSettings>>;
