import { flag } from '@sky-genesis/config';
import { z } from 'zod';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** Whether a gRPC server takes calls without a token; an app's schema spreads it and adds `.check(anonymousRules)`. */
export const anonymousSettings = {
  GRPC_ALLOW_ANONYMOUS: flag(false).describe(
    'Calls without a token are the tenant `anonymous` with every scope and sender. For trying only: refused on an address that is not loopback and in production.',
  ),
};

export interface AnonymousSettings {
  GRPC_ALLOW_ANONYMOUS: boolean;
  GRPC_HOST: string;
  NODE_ENV: string;
}

/** Faults that no single setting shows; reported together with those of the single settings, whatever these are. */
export const anonymousRules = z.superRefine<Partial<AnonymousSettings>>(
  ({ GRPC_ALLOW_ANONYMOUS, GRPC_HOST = '', NODE_ENV }, report) => {
    const refuse = (message: string) => report.addIssue({ code: 'custom', path: ['GRPC_ALLOW_ANONYMOUS'], message });
    if (!GRPC_ALLOW_ANONYMOUS) return;
    if (NODE_ENV === 'production') refuse('is refused with NODE_ENV=production');
    if (!LOOPBACK.test(GRPC_HOST)) refuse(`is refused on ${GRPC_HOST}, which is not a loopback address`);
  },
  { when: () => true },
);
