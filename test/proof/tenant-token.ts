import { readFileSync } from 'node:fs';
import { issueToken } from '@sky-genesis/auth';
import type { ProofStack } from './proof-stack';

const GOOD_FOR_SECONDS = 6 * 3600;

/** A token for a tenant of its own, by the secret that the stack made for itself. */
export function tenantToken(stack: ProofStack, tenant: string): string {
  const { AUTH_SECRET_FILE = '', AUTH_ISSUER = '', AUTH_AUDIENCE = '' } = stack.mailEnvironment();
  const claims = { sub: 'proof', tenant, scope: 'mail.send mail.read events.read search.read', senders: ['*@example.com'] };
  return issueToken({ AUTH_SECRET: readFileSync(AUTH_SECRET_FILE, 'utf8'), AUTH_ISSUER, AUTH_AUDIENCE }, claims, GOOD_FOR_SECONDS);
}
