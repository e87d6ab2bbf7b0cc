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
