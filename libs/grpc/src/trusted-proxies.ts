import { BlockList, isIP } from 'node:net';

/** Whether a peer's address is that of a proxy whose word counts. An IPv4 address within IPv6 (::ffff:127.0.0.1) is the IPv4 one. */
export type IsTrusted = (address: string | undefined) => boolean;

const NETWORK = /^([^/]+)(?:\/(\d{1,3}))?$/;

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/**
 * @param networks addresses, or CIDRs
 * @throws Error for what is neither
 */
export function trustedProxies(networks: readonly string[]): IsTrusted {
  const trusted = new BlockList();
  for (const network of networks) {
    const [, address = '', prefix] = NETWORK.exec(network) ?? [];
    const family = familyOf(address);
    trusted.addSubnet(address, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return (address = '') => isIP(address) !== 0 && trusted.check(address, familyOf(address));
}
