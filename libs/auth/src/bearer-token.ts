/** RFC 6750: the scheme in any case, one token. Anchored, so that a long header costs no more than its length. */
const BEARER = /^Bearer +([^\s]+)$/i;

/** The token of an `authorization` header or metadata; undefined where it is of another kind. */
export function bearerToken(authorization: unknown): string | undefined {
  return typeof authorization === 'string' ? BEARER.exec(authorization)?.[1] : undefined;
}
