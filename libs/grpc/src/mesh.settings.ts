import type { z } from 'zod';
import { discoveryRules, etcdSettings } from './discovery/discovery.settings';
import { tlsRules, tlsSettings } from './tls/tls.settings';

/** How an app finds the services, and how each knows that the other is who it should be; its schema spreads them. */
export const meshSettings = { ...tlsSettings, ...etcdSettings };

export type MeshSettings = z.infer<z.ZodObject<typeof meshSettings>>;

/** What they say together: `.check(...meshRules)`. */
export const meshRules = [tlsRules, discoveryRules] as const;
