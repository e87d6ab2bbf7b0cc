import { loadPackage } from '@sky-genesis/proto';

/** Which services of the contract (MailService; `*`: all) an identity may call. Empty: whoever is verified may call all. */
export type PeerRules = ReadonlyMap<string, ReadonlySet<string>>;

const CONTRACT = 'sky_genesis.';
const EVERY_SERVICE = '*';
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** SPIFFE-ID, section 2. */
const SPIFFE_ID = /^(?=.{1,2048}$)spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._-]+)+$/;

/**
 * @param entries `identity=Service+Service` each: a DNS name or a SPIFFE id, and what it may call
 * @throws Error which names the entry
 */
export function peerRules(entries: readonly string[]): PeerRules {
  const services = contractServices();
  const rules = new Map<string, Set<string>>();
  for (const entry of entries) {
    const [identity = '', names = '', ...more] = entry.split('=');
    if (!isIdentity(identity) || more.length > 0) throw new Error(`${entry} does not begin with a DNS name or SPIFFE id and =`);
    const allowed = names.split('+').map((name) => name.trim());
    const unknown = allowed.filter((name) => name !== EVERY_SERVICE && !services.includes(name));
    if (unknown.length > 0) throw new Error(`${entry} names "${unknown.join('", "')}", not one of ${services.join(', ')} and *`);
    rules.set(identity, new Set([...(rules.get(identity) ?? []), ...allowed]));
  }
  return rules;
}

export const isIdentity = (text: string): boolean => DNS_NAME.test(text) || SPIFFE_ID.test(text);

/** @param service without its package, such as MailService */
export function mayCall(rules: PeerRules, identities: readonly string[], service: string): boolean {
  if (rules.size === 0) return true;
  return identities.some((identity) => {
    const allowed = rules.get(identity);
    return allowed !== undefined && (allowed.has(service) || allowed.has(EVERY_SERVICE));
  });
}

/** The service of the contract that a path is about; undefined for health and reflection. */
export function contractServiceOf(path: string): string | undefined {
  const [, service = ''] = path.split('/');
  return service.startsWith(CONTRACT) ? service.slice(CONTRACT.length) : undefined;
}

function contractServices(): string[] {
  const services = Object.entries(loadPackage()).filter(([name, entry]) => name.startsWith(CONTRACT) && !('format' in entry));
  return services.map(([name]) => name.slice(CONTRACT.length));
}
