import { type Environment, integer, port, readConfig } from '@sky-genesis/config';
import { z } from 'zod';

/** What the SMTP sink can be told; `npm start` tells it. */
export const sinkSchema = z.object({
  SGE_SMTP_SINK_PORT: port(2525).describe('Where the built-in SMTP sink listens, on loopback; 0: any free port.'),
  SGE_SMTP_SINK_INBOX: z.string().default('.data/inbox').describe('The folder where the SMTP sink keeps each mail as <message_id>.eml.'),
  SGE_SMTP_SINK_MAX_SIZE: integer(1024, 1_073_741_824, 67_108_864).describe('The largest mail that the SMTP sink takes, in bytes.'),
  SGE_SMTP_SINK_LATENCY_MS: integer(0, 60_000, 0).describe(
    'How long the SMTP sink waits before each reply to a whole mail, as a relay at work does.',
  ),
});

export type SinkConfig = z.infer<typeof sinkSchema>;

/** @throws ConfigError */
export const readSinkConfig = (environment: Environment): SinkConfig => readConfig(sinkSchema, environment);
