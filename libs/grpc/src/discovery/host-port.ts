import { isIPv6 } from 'node:net';

export interface HostPort {
  /** A name or an address; IPv6 without brackets. */
  host: string;
  port: number;
}

const HOST_PORT = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/;

/**
 * `host:port`, `[IPv6]:port`.
 * @throws Error that says what is wrong with it
 */
export function parseHostPort(text: string): HostPort {
  const [, inBrackets, name, digits] = HOST_PORT.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined) throw new Error(`${text || 'nothing'} is not host:port`);
  if (port < 1 || port > 65_535) throw new Error(`the port of ${text} must be 1 to 65535`);
  if (inBrackets !== undefined && !isIPv6(inBrackets)) throw new Error(`${inBrackets} is no IPv6 address`);
  return { host: (inBrackets ?? name)!, port };
}
