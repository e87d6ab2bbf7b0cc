import type { Caller } from '@sky-genesis/grpc/caller';

const SCOPES = ['search.read', 'search.write', 'mail.read'];

export const callerOf = (tenant: string, scopes: readonly string[] = SCOPES): Caller => ({
  subject: 'alice',
  tenant,
  scopes: new Set(scopes),
  senders: [],
  expiresAt: Infinity,
});

/** One of the product's own services, on its own behalf. */
export const serviceCaller = (service: string): Caller => ({ ...callerOf('', ['search.write']), subject: `service:${service}`, service });
