import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { MAX_TOKEN_LENGTH, notAuthenticated } from './token-verifier';

const ISSUER = 'sge';
const AUDIENCE = 'sge-services';
const ALGORITHM = 'EdDSA';
const LIFE_SECONDS = 60;
const CLOCK_TOLERANCE_SECONDS = 5;
const SERVICE_NAME = /^[a-z][a-z0-9-]{0,63}$/;
const MAX_REMEMBERED = 64;

interface Issued {
  token: Promise<string>;
  renewAt: number;
}

interface Verified {
  service: string;
  until: number;
}

/**
 * Tokens by which the product's own services know each other: each says which service calls, and lives for 60 s. All
 * services have the one key; without it none is issued and none accepted.
 */
export class ServiceTokens {
  private readonly keys: { private: KeyObject; public: KeyObject } | undefined;
  private readonly issued = new Map<string, Issued>();
  private readonly verified = new Map<string, Verified>();

  constructor(pem: string | undefined) {
    if (pem === undefined) return;
    const key = createPrivateKey(pem);
    this.keys = { private: key, public: createPublicKey(key) };
  }

  /** The token of a service, made anew when half its life is over; undefined without a key. */
  issue(service: string): Promise<string> | undefined {
    if (!this.keys) return undefined;
    const now = Date.now();
    const last = this.issued.get(service);
    if (last && now < last.renewAt) return last.token;
    const token = new SignJWT()
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(service)
      .setIssuedAt()
      .setExpirationTime(`${LIFE_SECONDS}s`)
      .sign(this.keys.private);
    this.issued.set(service, { token, renewAt: now + (LIFE_SECONDS / 2) * 1000 });
    return token;
  }

  /**
   * The name of the service that a token was issued to.
   * @throws RuleError UNAUTHENTICATED
   */
  async verify(token: string | undefined): Promise<string> {
    try {
      if (!this.keys) throw new Error('no SERVICE_KEY');
      if (token === undefined || token.length > MAX_TOKEN_LENGTH) throw new Error('no service token');
      // A service sends the same token for half a minute. It is looked up by its hash, whose comparison tells nothing of it.
      const hash = createHash('sha256').update(token).digest('base64');
      const known = this.verified.get(hash);
      if (known && Date.now() < known.until) return known.service;
      const found = await this.check(token, this.keys.public);
      this.remember(hash, found);
      return found.service;
    } catch (error) {
      throw notAuthenticated(error);
    }
  }

  private async check(token: string, key: KeyObject): Promise<Verified> {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      maxTokenAge: LIFE_SECONDS,
      requiredClaims: ['exp', 'iat', 'sub'],
    });
    const { sub = '', exp = 0, iat = 0 } = payload;
    if (!SERVICE_NAME.test(sub)) throw new Error('sub');
    return { service: sub, until: Math.min(exp, iat + LIFE_SECONDS) * 1000 };
  }

  private remember(hash: string, found: Verified): void {
    if (this.verified.size >= MAX_REMEMBERED) this.verified.clear();
    this.verified.set(hash, found);
  }
}
