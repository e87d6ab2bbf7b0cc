import { z } from 'zod';
import { integer } from '@sky-genesis/config';

/** Part of `grpcSettings`. */
export const compressionSettings = {
  GRPC_COMPRESSION: z
    .enum(['gzip', 'off'])
    .default('gzip')
    .describe('How messages are compressed on gRPC, both ways, where the other side reads it; never chunks of files.'),
  GRPC_COMPRESSION_MIN_BYTES: integer(0, 67_108_864, 2048).describe('The smallest message that is compressed, in bytes.'),
};

export type CompressionSettings = z.infer<z.ZodObject<typeof compressionSettings>>;
