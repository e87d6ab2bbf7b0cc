import { listOf } from '@sky-genesis/config';
import { type z } from 'zod';
import { trustedProxies } from './trusted-proxies';

/** Whose word counts where there are proxies before an app; its schema spreads it. */
export const proxySettings = {
  TRUSTED_PROXIES: listOf(['127.0.0.0/8', '::1'])
    .check(areNetworks)
    .describe(
      'Addresses and CIDRs, separated by commas, whose Early-Data, X-Forwarded-* and X-Request-Id are read; of others they are as if not sent. Empty: nobody.',
    ),
};

function areNetworks({ value, issues }: z.core.ParsePayload<string[]>): void {
  for (const network of value) {
    try {
      trustedProxies([network]);
    } catch {
      issues.push({ code: 'custom', input: network, message: `${network} is neither an address nor a CIDR` });
    }
  }
}
