import { lookup } from 'node:dns/promises';
import type { DoctorSettings } from './doctor.settings';
import { instancesIn } from './etcd.client';
import { parseServiceAddress, type ServiceAddress } from './service-address';
import { type Place, unbracketed, UnreachableError } from './tcp.probe';

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
  const text = settings[service.setting];
  if (text === undefined) return [];
  const address = parsed(service.setting, text);
  const found = await foundBy(address, service, settings);
  return found
    .slice(0, MAX_INSTANCES)
    .map(({ host, port, name = host }) => ({ host, port, setting: service.setting, name: unbracketed(name) }));
}

interface Found {
  host: string;
  port: number;
  name?: string;
}

async function foundBy(address: ServiceAddress, { program, setting }: Service, settings: DoctorSettings): Promise<Found[]> {
  if (address.by === 'hosts') return address.hosts;
  if (address.by === 'dns') {
    const { host: name, port } = address;
    const found = await lookup(unbracketed(name), { all: true }).catch(() => []);
    if (found.length === 0)
      throw new UnreachableError(`the name ${name} does not resolve`, `Put right the host in ${setting}, or the DNS that knows it.`);
    return found.map(({ address, family }) => ({ host: family === 6 ? `[${address}]` : address, port, name }));
  }
  const registered = await instancesIn(settings, address.service).catch(() => {
    throw new UnreachableError('etcd, where it is looked for, does not tell', 'See etcd in this list.');
  });
  if (registered.length > 0) return registered;
  const todo = `Start ${program} with the same ETCD_ENDPOINTS, or name its host:port in ${setting}.`;
  throw new UnreachableError(`no instance is registered in etcd under /services/${address.service}/`, todo);
}

function parsed(setting: string, text: string): ServiceAddress {
  try {
    return parseServiceAddress(text);
  } catch (error) {
    throw new UnreachableError(`${setting} ${(error as Error).message}`, `Put ${setting} right.`);
  }
}
