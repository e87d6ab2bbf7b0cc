import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const MAX_TOKEN = 8192;
const FORMAT = 1;

/** What a token is good for: only the same search may go on with it. */
export interface SearchIdentity {
  tenant: string;
  kinds: readonly string[];
  query: string;
  filters: readonly string[];
  sort: string;
}

/** Where the next page begins, and who can go on from there. */
export interface PagePosition {
  /** An engine's name, or that of the fallback. */
  from: string;
  position: string;
  /** When the first page was asked for, in unix milliseconds: what `newer_than:` counts from on all pages. */
  askedAt: number;
}

type Content = [format: typeof FORMAT, expiresAt: number, digest: string, from: string, position: string, askedAt: number];

/**
 * Seals and opens page tokens (AES-256-GCM): nothing of them can be read or altered, and every process that has the key
 * can go on from them.
 */
export class PageTokens {
  /**
   * @param key 32 bytes
   * @param seconds how long a token is good for
   */
  constructor(
    private readonly key: Buffer,
    private readonly seconds: number,
  ) {}

  seal(identity: SearchIdentity, { from, position, askedAt }: PagePosition): string {
    const content: Content = [FORMAT, Date.now() + this.seconds * 1000, digestOf(identity), from, position, askedAt];
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, iv);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(content)), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** @throws InvalidArgumentError; RuleError PAGE_TOKEN_EXPIRED */
  open(token: string, identity: SearchIdentity): PagePosition {
    const [, expiresAt, digest, from, position, askedAt] = this.decrypt(token);
    if (digest !== digestOf(identity)) throw notOfThisSearch();
    if (Date.now() >= expiresAt) throw new RuleError('PAGE_TOKEN_EXPIRED');
    return { from, position, askedAt };
  }

  private decrypt(token: string): Content {
    try {
      const bytes = token.length <= MAX_TOKEN ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
      const decipher = createDecipheriv(ALGORITHM, this.key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      const content = JSON.parse(
        Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString(),
      ) as Content;
      if (content[0] !== FORMAT) throw new Error('format');
      return content;
    } catch {
      throw notOfThisSearch();
    }
  }
}

const notOfThisSearch = (): RuleError =>
  new InvalidArgumentError([{ field: 'page_token', description: 'must be the next_page_token of an answer to the same search' }]);

function digestOf({ tenant, kinds, query, filters, sort }: SearchIdentity): string {
  const identity = JSON.stringify([tenant, [...kinds].sort(), query, filters, sort]);
  return createHash('sha256').update(identity).digest('base64url').slice(0, 22);
}
