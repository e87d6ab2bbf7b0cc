import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { Algorithm } from 'jsonwebtoken';

export interface TokenHeader {
  alg: string;
  kid?: string | undefined;
}

/** Where the keys that verify tokens come from. They are always KeyObjects: as text, a key is parsed anew at every call. */
export interface KeySource {
  /** All that its keys can verify; nothing else is accepted. */
  readonly algorithms: readonly Algorithm[];
  /** @throws where there is no key for such a token */
  keyFor(header: TokenHeader): KeyObject | Promise<KeyObject>;
}

const MIN_RSA_BITS = 2048;

/** What a public key can verify, as far as this product accepts it; nothing for keys that are too weak or of other kinds. */
export function algorithmsFor({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Algorithm[] {
  const strong = (asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS;
  if (asymmetricKeyType === 'rsa' && strong) return ['RS256', 'PS256'];
  if (asymmetricKeyType === 'rsa-pss' && strong) return ['PS256'];
  if (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1') return ['ES256'];
  return [];
}

/** One key for every token, whatever `kid` says. */
export class FixedKey implements KeySource {
  private constructor(
    private readonly key: KeyObject,
    readonly algorithms: readonly Algorithm[],
  ) {}

  static ofSecret(secret: string): FixedKey {
    return new FixedKey(createSecretKey(Buffer.from(secret)), ['HS256']);
  }

  static ofPublicKey(pem: string): FixedKey {
    const key = createPublicKey(pem);
    return new FixedKey(key, algorithmsFor(key));
  }

  keyFor(): KeyObject {
    return this.key;
  }
}
