import { X509Certificate } from 'node:crypto';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';

/** One entry of Node's text of subject alternative names. What has a comma, a quote or the like in it stands in quotes. */
const ALTERNATIVE_NAME = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;
/** A SPIFFE id whose path ends with the name of a service; the trust domain (its host) is not a name. */
const SPIFFE_ID = /^spiffe:\/\/[^/]+\/(?:[^/]+\/)*([^/]+)$/;

/**
 * Who a certificate says its holder is: DNS names, in lower case, and URIs of its subject alternative names; never its
 * common name (RFC 6125, 6.4.4). A name that has to be quoted is none: no service is called so.
 */
export function identitiesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  const identities: string[] = [];
  ALTERNATIVE_NAME.lastIndex = 0;
  for (let at = 0; at < subjectAltName.length; at = ALTERNATIVE_NAME.lastIndex) {
    const [, kind, name] = ALTERNATIVE_NAME.exec(subjectAltName) ?? [];
    // Not read to its end, so not understood: nothing of it is believed.
    if (name === undefined) return [];
    if (name === '' || name.startsWith('"')) continue;
    if (kind === 'DNS') identities.push(name.toLowerCase());
    else if (kind === 'URI') identities.push(name);
  }
  return identities;
}

/** Whether a certificate is that of a service: by a DNS name equal to its name, or by a SPIFFE id that ends with it. */
export const namesService = (identities: readonly string[], service: string): boolean =>
  identities.some((identity) => identity === service || SPIFFE_ID.exec(identity)?.[1] === service);

/** Of a connection, so that a certificate is read once and not with every call. */
const known = new WeakMap<object, readonly string[]>();

/**
 * Who calls, by the client certificate that TLS has verified; undefined where it asked for none, or where the client is
 * gone already, so that nobody knows any more.
 */
export function peerIdentities(call: ServerInterceptingCallInterface): readonly string[] | undefined {
  // Private, so it is not taken for granted: without it a certificate is read with every call.
  const { session } = (call as { stream?: { session?: object } }).stream ?? {};
  const before = session && known.get(session);
  if (before) return before;
  const raw = verifiedCertificate(call);
  if (!raw) return undefined;
  const identities = identitiesOf(new X509Certificate(raw));
  if (session) known.set(session, identities);
  return identities;
}

function verifiedCertificate(call: ServerInterceptingCallInterface): Buffer | undefined {
  try {
    return call.getAuthContext().sslPeerCertificate?.raw;
  } catch {
    // grpc-js reads the certificate of a socket that is no more.
    return undefined;
  }
}
