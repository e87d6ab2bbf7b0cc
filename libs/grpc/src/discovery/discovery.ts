import { hostname } from 'node:os';
import { type ChannelCredentials, credentials as grpcCredentials } from '@grpc/grpc-js';
import { advertisedAddress, type EtcdSettings, type RegistrationSettings } from './discovery.settings';
import { EtcdInstances } from './etcd-instances';
import { EtcdRegistration } from './etcd-registration';
import { EtcdClient } from './etcd.client';
import { HealthWatch } from './health.watch';
import { parseHostPort } from './host-port';
import { makeResolvable } from './mesh.resolver';
import { parseServiceAddress } from './service-address';
import { type Found, type InstanceSource, ServiceEndpoints } from './service.endpoints';

/** The services that discovery knows, and the name by which the health of each is asked for. */
const HEALTH_NAMES = { mail: 'sky_genesis.MailService', search: 'sky_genesis.SearchService' };

export type DiscoveredService = keyof typeof HEALTH_NAMES;

let made = 0;

/** How an app finds the instances of other services, and is found itself. One for an app; without etcd it needs none. */
export class Discovery {
  private readonly id = String(++made);
  private readonly etcd: EtcdClient | undefined;
  private readonly endpoints = new Map<string, ServiceEndpoints>();
  private readonly healthNames = new Map<string, string>();
  private readonly forget: () => void;

  /** @param credentials for asking instances for their health: those of the channels to them */
  constructor(
    private readonly settings: EtcdSettings,
    private readonly credentials: ChannelCredentials = grpcCredentials.createInsecure(),
  ) {
    this.etcd = settings.ETCD_ENDPOINTS.length > 0 ? new EtcdClient(settings) : undefined;
    this.forget = makeResolvable(this.id, (path) => this.endpointsOf(path));
  }

  /**
   * The target of a grpc-js channel for what `parseServiceAddress` takes. Channels of one target share one search for it.
   * They need `grpc.enable_http_proxy: 0`: with a proxy in the environment, grpc-js would have it find the name.
   * @throws Error where the address is none, or needs an etcd that is not there
   */
  targetOf(address: string, service: DiscoveredService): string {
    const parsed = parseServiceAddress(address);
    if (parsed.kind === 'dns') return parsed.target;
    if (parsed.kind === 'etcd' && !this.etcd) throw new Error(`ETCD_ENDPOINTS is needed with ${address}`);
    const path = parsed.kind === 'etcd' ? parsed.service : `${service}/${parsed.addresses.join(',')}`;
    this.healthNames.set(path, HEALTH_NAMES[service]);
    return `${parsed.kind}://${this.id}/${path}`;
  }

  /**
   * Registers this instance of a service, from now until `revoke()` of what is returned. Nothing where there is no etcd.
   * @param onChange told each time that it is or no longer is registered
   */
  register(
    service: DiscoveredService,
    settings: RegistrationSettings,
    onChange?: (registered: boolean) => void,
  ): EtcdRegistration | undefined {
    if (!this.etcd) return undefined;
    const address = advertisedAddress(settings);
    const instance = settings.SERVICE_INSTANCE ?? `${hostname()}:${parseHostPort(address).port}`;
    return new EtcdRegistration(this.etcd, { service, instance, address }, this.settings.ETCD_LEASE_SECONDS, onChange);
  }

  /** Ends every watch. Channels of its targets stay as they are, and are told nothing more. */
  close(): void {
    this.forget();
    for (const endpoints of this.endpoints.values()) endpoints.close();
    this.etcd?.close();
  }

  private endpointsOf(path: string): ServiceEndpoints {
    const known = this.endpoints.get(path);
    if (known) return known;
    const [service, list] = path.split('/') as [string, string | undefined];
    const healthName = this.healthNames.get(path);
    const watchHealth = (address: string, onChange: () => void) =>
      // A list of one is what a channel to it is told, by the name that the certificate of the service has.
      new HealthWatch(`list://${this.id}/${service}/${address}`, this.credentials, healthName!, onChange);
    const find = (found: Found) => (list === undefined ? this.inEtcd(service, found) : inList(list.split(','), found));
    const endpoints = new ServiceEndpoints(find, healthName === undefined ? undefined : watchHealth, () => this.endpoints.delete(path));
    this.endpoints.set(path, endpoints);
    return endpoints;
  }

  private inEtcd(service: string, found: Found): InstanceSource {
    return new EtcdInstances(this.etcd!, service, this.settings.ETCD_LEASE_SECONDS * 1000, found);
  }
}

function inList(addresses: readonly string[], found: Found): InstanceSource {
  found.instances(addresses);
  return { close: () => undefined };
}
