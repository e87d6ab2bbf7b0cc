import { createSecretKey } from 'node:crypto';
import { sign } from 'jsonwebtoken';
import type { AuthSettings } from './auth.settings';
import type { CallerClaims } from './caller-claims';

/**
 * Signs a token by the shared secret (HS256), for tools and tests; elsewhere tokens come from the issuer.
 * @throws Error where the settings have no AUTH_SECRET
 */
export function issueToken(
  { AUTH_SECRET, AUTH_ISSUER, AUTH_AUDIENCE }: Pick<AuthSettings, 'AUTH_SECRET' | 'AUTH_ISSUER' | 'AUTH_AUDIENCE'>,
  claims: CallerClaims,
  expiresInSeconds: number,
): string {
  if (!AUTH_SECRET) throw new Error('AUTH_SECRET is needed to sign a token');
  return sign({ ...claims }, createSecretKey(Buffer.from(AUTH_SECRET)), {
    algorithm: 'HS256',
    issuer: AUTH_ISSUER,
    audience: AUTH_AUDIENCE,
    expiresIn: expiresInSeconds,
  });
}
