import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { RuleError } from '@sky-genesis/grpc';
import type { Algorithm } from 'jsonwebtoken';
import { algorithmsFor, type KeySource, type TokenHeader } from './key-source';

const FRESH_MS = 600_000;
/** Between two requests, once there are keys: whoever sends unknown key ids cannot make us flood the issuer. */
const REFETCH_MS = 30_000;
const FIRST_FETCH_RETRY_MS = 1000;
const FETCH_TIMEOUT_MS = 5000;
const MAX_DOCUMENT_BYTES = 262_144;
const MAX_KEYS = 100;

interface PublishedKey {
  kid: string | undefined;
  algorithms: readonly Algorithm[];
  key: KeyObject;
}

/**
 * Keys published as a JSON Web Key Set. Own code, because jose's createRemoteJWKSet and jwks-rsa forget the last good
 * set when it expires while the issuer is down: an outage there would refuse every caller here. Keys that were read
 * stay until others are read; a set is renewed in the background when it is 10 minutes old, and a `kid` that is not
 * in it has it fetched again, at most once in 30 s. Calls that wait for keys share one request.
 */
export class JwksKeys implements KeySource {
  readonly algorithms = ['RS256', 'PS256', 'ES256'] as const;
  private readonly logger = new Logger(JwksKeys.name);
  private keys: readonly PublishedKey[] = [];
  private fetchedAt = -Infinity;
  private triedAt = -Infinity;
  private fetching: Promise<void> | undefined;

  constructor(
    private readonly uri: string,
    /** Milliseconds of a clock that never goes back. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  async keyFor(header: TokenHeader): Promise<KeyObject> {
    if (!this.algorithms.some((algorithm) => algorithm === header.alg)) throw new Error('algorithm not accepted');
    if (this.keys.length === 0) await this.refetch(FIRST_FETCH_RETRY_MS);
    else if (this.now() - this.fetchedAt > FRESH_MS) void this.refetch(REFETCH_MS);
    let found = this.find(header);
    if (!found) {
      await this.refetch(REFETCH_MS);
      found = this.find(header);
    }
    if (found) return found;
    // The caller is not to blame, and may keep the token.
    if (this.keys.length === 0) throw new RuleError('SERVICE_UNAVAILABLE', 'The keys that verify tokens cannot be had now');
    throw new Error('no key for this token');
  }

  /** A token without `kid` is verified only where one key alone can be meant. */
  private find({ alg, kid }: TokenHeader): KeyObject | undefined {
    const fitting = this.keys.filter(
      (key) => key.algorithms.some((algorithm) => algorithm === alg) && (kid === undefined || key.kid === kid),
    );
    return fitting.length === 1 ? fitting[0]?.key : undefined;
  }

  /** Never fails: what went wrong is logged, and the keys stay as they were. */
  private refetch(intervalMs: number): Promise<void> {
    if (this.fetching) return this.fetching;
    if (this.now() - this.triedAt < intervalMs) return Promise.resolve();
    this.triedAt = this.now();
    this.fetching = fetchDocument(this.uri)
      .then((document) => {
        this.keys = keysOf(document);
        this.fetchedAt = this.now();
      })
      .catch((error: Error) => {
        const reason = error.cause instanceof Error ? error.cause.message : error.message;
        this.logger.warn(`${this.uri}: ${reason}; ${this.keys.length} known keys stay in use`);
      })
      .finally(() => (this.fetching = undefined));
    return this.fetching;
  }
}

async function fetchDocument(uri: string): Promise<unknown> {
  const response = await fetch(uri, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > MAX_DOCUMENT_BYTES) throw new Error(`larger than ${MAX_DOCUMENT_BYTES} bytes`);
    parts.push(part);
  }
  if (response.status !== 200) throw new Error(`answered ${response.status}`);
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw new Error('not JSON');
  }
}

/** A set without one key of use counts as a failure, so that a broken document does not replace a good one. */
function keysOf(document: unknown): PublishedKey[] {
  const { keys } = (document ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('not a JSON Web Key Set');
  const usable = keys.slice(0, MAX_KEYS).flatMap(publishedKey);
  if (usable.length === 0) throw new Error('no key of use in it');
  return usable;
}

/** Keys for other purposes, of other kinds or too weak are left out; so are those that cannot be read. */
function publishedKey(jwk: JsonWebKey | null): PublishedKey[] {
  if (typeof jwk !== 'object' || jwk === null || (jwk.use !== undefined && jwk.use !== 'sig')) return [];
  if (Array.isArray(jwk.key_ops) && !jwk.key_ops.includes('verify')) return [];
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const algorithms = algorithmsFor(key).filter((algorithm) => jwk.alg === undefined || jwk.alg === algorithm);
    return algorithms.length === 0 ? [] : [{ kid: typeof jwk.kid === 'string' ? jwk.kid : undefined, algorithms, key }];
  } catch {
    return [];
  }
}
