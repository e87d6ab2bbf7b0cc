import { parseHostPort } from './host-port';

/** Where a service is, as a setting says it. */
export type ServiceAddress =
  /** grpc-js finds it by itself: host:port or dns:///name:port. */
  | { kind: 'dns'; target: string }
  /** Instances at fixed addresses, host:port each. */
  | { kind: 'list'; addresses: string[] }
  /** Instances that register as this service in etcd. */
  | { kind: 'etcd'; service: string };

/** Many more than any set-up has: each has a connection, and a watch of its health. */
export const MAX_INSTANCES = 1000;

const SERVICE = /^[a-z0-9][a-z0-9-]{0,62}$/;

/**
 * `host:port`, `host:port,host:port`, `dns:///name:port` or `etcd:///mail`.
 * @throws Error that says what is wrong with it
 */
export function parseServiceAddress(text: string): ServiceAddress {
  const [, scheme, rest] = /^([a-z0-9+.-]+):\/\/(.*)$/i.exec(text) ?? [];
  if (scheme === undefined) return addresses(text);
  if (scheme !== 'dns' && scheme !== 'etcd') throw new Error(`${scheme}:// is none of host:port, dns:/// and etcd:///`);
  if (!rest!.startsWith('/'))
    throw new Error(`${text}: ${scheme}: takes three slashes, as in ${scheme}:///${scheme === 'dns' ? 'name:port' : 'mail'}`);
  const path = rest!.slice(1);
  if (scheme === 'dns') {
    parseHostPort(path);
    return { kind: 'dns', target: text };
  }
  if (!SERVICE.test(path)) throw new Error(`${text}: after etcd:/// comes the name of a service (a-z, 0-9, -; at most 63)`);
  return { kind: 'etcd', service: path };
}

function addresses(text: string): ServiceAddress {
  const parts = [...new Set(text.split(',').map((part) => part.trim()))];
  if (parts.length > MAX_INSTANCES) throw new Error(`${parts.length} addresses are more than ${MAX_INSTANCES}`);
  for (const part of parts) parseHostPort(part);
  return parts.length === 1 ? { kind: 'dns', target: parts[0]! } : { kind: 'list', addresses: parts };
}
