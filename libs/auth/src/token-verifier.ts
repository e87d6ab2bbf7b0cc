import type { KeyObject } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { type Caller, RuleError } from '@sky-genesis/grpc';
import { type Algorithm, verify } from 'jsonwebtoken';
import type { TokenSettings } from './auth.settings';
import { callerOf } from './caller-claims';
import { JwksKeys } from './jwks-keys';
import { FixedKey, type KeySource, type TokenHeader } from './key-source';

export const MAX_TOKEN_LENGTH = 8192;
/** What clocks of two hosts may differ by. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** Options of `verify` of jsonwebtoken. */
export interface TokenRules {
  algorithms: Algorithm[];
  issuer: string;
  audience: string;
  /** Seconds */
  clockTolerance: number;
}

/**
 * The one set of rules for tokens. gRPC asks `verify`; passport-jwt, which does the same with the same library, takes
 * the parts: `keyFor`, `rules`, `callerOf`.
 */
export class TokenVerifier {
  readonly rules: TokenRules;
  private readonly keys: KeySource;
  private readonly tenantRequired: boolean;

  constructor(settings: TokenSettings) {
    this.keys = keySourceOf(settings);
    this.tenantRequired = settings.AUTH_TENANT_REQUIRED ?? settings.NODE_ENV === 'production';
    this.rules = {
      algorithms: [...this.keys.algorithms],
      issuer: settings.AUTH_ISSUER,
      audience: settings.AUTH_AUDIENCE,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    };
  }

  /** @throws RuleError UNAUTHENTICATED, or SERVICE_UNAVAILABLE where no key can be had to judge a token by */
  async verify(token: string | undefined): Promise<Caller> {
    try {
      if (token === undefined) throw new Error('no token');
      return this.callerOf(verify(token, await this.keyFor(token), this.rules));
    } catch (error) {
      throw notAuthenticated(error);
    }
  }

  /** The key for a token, of which only size and header are looked at. */
  async keyFor(token: string): Promise<KeyObject> {
    if (token.length > MAX_TOKEN_LENGTH) throw new Error('longer than a token may be');
    return this.keys.keyFor(headerOf(token));
  }

  /** The caller whom the claims of a verified token describe. */
  callerOf(claims: unknown): Caller {
    return callerOf(claims, this.tenantRequired);
  }
}

const logger = new Logger(TokenVerifier.name);

/** What a caller is told of any fault of a token: nothing. The reason, without the token, is in the debug log. */
export function notAuthenticated(error: unknown): RuleError {
  if (error instanceof RuleError) return error;
  // A SyntaxError's message quotes what it could not read.
  logger.debug(`token refused: ${error instanceof SyntaxError ? 'not JSON' : error instanceof Error ? error.message : 'no reason'}`);
  return new RuleError('UNAUTHENTICATED', 'No valid auth token');
}

function keySourceOf({ AUTH_JWKS_URI, AUTH_PUBLIC_KEY, AUTH_SECRET }: TokenSettings): KeySource {
  if (AUTH_JWKS_URI) return new JwksKeys(AUTH_JWKS_URI);
  if (AUTH_PUBLIC_KEY) return FixedKey.ofPublicKey(AUTH_PUBLIC_KEY);
  if (AUTH_SECRET) return FixedKey.ofSecret(AUTH_SECRET);
  throw new Error('no key to verify tokens with: authRules were not applied');
}

function headerOf(token: string): TokenHeader {
  const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString('utf8'));
  const { alg, kid, crit } = (header ?? {}) as Record<string, unknown>;
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) throw new Error('header');
  // RFC 7515: extensions that are marked critical and not understood make a token invalid; jsonwebtoken does not look.
  if (crit !== undefined) throw new Error('crit');
  return { alg, kid };
}
