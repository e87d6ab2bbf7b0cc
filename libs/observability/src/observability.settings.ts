import { z } from 'zod';

/** Settings of logging; an app's schema spreads them. */
export const observabilitySettings = {
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('The least that is logged. Below info, health checks are logged too, and lines may hold addresses.'),
};

export type ObservabilitySettings = z.infer<z.ZodObject<typeof observabilitySettings>>;
