import { lookup } from 'node:dns/promises';
import { parseHostPort, parseServiceAddress, type ServiceAddress } from '@sky-genesis/grpc';
import type { DoctorSettings } from './doctor.settings';
import { registrationsOf } from './registrations';
import { type Place, UnreachableError } from './tcp.probe';

/** A service as clients look for it. */
export interface Service {
  program: 'mail' | 'search';
  setting: 'GRPC_MAIL_SERVICE_ADDR' | 'GRPC_SEARCH_SERVICE_ADDR';
  /** As grpc.health.v1 knows it. */
  health: string;
}

export const services: readonly Service[] = [
  { program: 'mail', setting: 'GRPC_MAIL_SERVICE_ADDR', health: 'sky_genesis.MailService' },
  { program: 'search', setting: 'GRPC_SEARCH_SERVICE_ADDR', health: 'sky_genesis.SearchService' },
];

/** One process of a service. */
export interface Instance extends Place {
  /** As it was called, which its certificate may be for. */
  name: string;
}

/** More are not looked at. */
const MAX_INSTANCES = 16;

/** @throws UnreachableError where the address leads to none */
export async function instancesOf(service: Service, settings: DoctorSettings): Promise<Instance[]> {
  const { setting, program } = service;
  const text = settings[setting];
  if (text === undefined) return [];
  const address = parsed(setting, text);
  if (address.kind === 'list') return address.addresses.slice(0, MAX_INSTANCES).map((each) => instanceAt(each, setting));
  if (address.kind === 'dns') return resolved(address.target, setting);
  const registered = await registrationsOf(address.service, settings.ETCD_ENDPOINTS ?? [], settings).catch(() => {
    throw new UnreachableError('etcd, where it is looked for, does not tell', 'See etcd in this list.');
  });
  if (registered.length === 0) {
    const todo = `Start ${program} with the same ETCD_ENDPOINTS, or name its host:port in ${setting}.`;
    throw new UnreachableError(`no instance is registered in etcd under /services/${address.service}/`, todo);
  }
  // What etcd has is what the instance said of itself.
  const whose = `GRPC_ADVERTISED_ADDR of ${program}, as etcd has it`;
  return registered.slice(0, MAX_INSTANCES).map(({ address }) => registeredAt(address, whose));
}

function instanceAt(address: string, setting: string): Instance {
  const { host, port } = parseHostPort(address);
  return { host, port, setting, name: host };
}

function registeredAt(address: string, setting: string): Instance {
  try {
    return instanceAt(address, setting);
  } catch (error) {
    throw new UnreachableError(`what etcd has is no address: ${(error as Error).message}`, `Put right the ${setting}.`);
  }
}

/** host:port is what is called; of dns:///name:port each address that the name has. */
async function resolved(target: string, setting: string): Promise<Instance[]> {
  const [, name] = /^dns:\/\/\/(.*)$/.exec(target) ?? [];
  if (name === undefined) return [instanceAt(target, setting)];
  const called = instanceAt(name, setting);
  const found = await lookup(called.host, { all: true }).catch(() => []);
  if (found.length === 0) {
    throw new UnreachableError(`the name ${called.host} does not resolve`, `Put right the host in ${setting}, or the DNS that knows it.`);
  }
  return found.slice(0, MAX_INSTANCES).map(({ address: host }) => ({ ...called, host }));
}

function parsed(setting: string, text: string): ServiceAddress {
  try {
    return parseServiceAddress(text);
  } catch (error) {
    throw new UnreachableError(`${setting}: ${(error as Error).message}`, `Put ${setting} right: docs/settings.md says what it takes.`);
  }
}
