import { readFileSync } from 'node:fs';
import { type CallerClaims, issueToken } from '@sky-genesis/auth';
import type { StackConfig } from './stack.config';

/**
 * A token that the stack of these settings accepts; undefined where they name an issuer of the person's own, whose keys
 * only that issuer has.
 * @param secretFile the secret that the stack made for itself
 */
export function localToken(config: StackConfig, secretFile: string, claims: CallerClaims, expiresInSeconds: number): string | undefined {
  if (config.AUTH_JWKS_URI !== undefined || config.AUTH_PUBLIC_KEY !== undefined) return undefined;
  const AUTH_SECRET = config.AUTH_SECRET ?? readFileSync(secretFile, 'utf8');
  return issueToken({ ...config, AUTH_SECRET }, claims, expiresInSeconds);
}
