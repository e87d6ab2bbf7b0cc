import { BlockList, isIP } from 'node:net';

/** The other side of a connection, as far as it is known. */
export interface Peer {
  address: string | undefined;
  /** DNS names and URIs of the certificate that TLS has verified. */
  identities?: readonly string[] | undefined;
}

/**
 * Whether a peer is a proxy whose word counts, by its address, or by its identities. An IPv4 address within IPv6
 * (::ffff:127.0.0.1) is the IPv4 one.
 */
export type IsTrusted = (peer: Peer) => boolean;

const NETWORK = /^([^/]+)(?:\/(\d{1,3}))?$/;

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/**
 * @param networks addresses, or CIDRs
 * @param identities DNS names and SPIFFE ids of certificates
 * @throws Error for what is neither
 */
export function trustedProxies(networks: readonly string[], identities: readonly string[] = []): IsTrusted {
  const trusted = new BlockList();
  for (const network of networks) {
    const [, address = '', prefix] = NETWORK.exec(network) ?? [];
    const family = familyOf(address);
    trusted.addSubnet(address, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return ({ address = '', identities: shown = [] }) =>
    (isIP(address) !== 0 && trusted.check(address, familyOf(address))) || shown.some((identity) => identities.includes(identity));
}
