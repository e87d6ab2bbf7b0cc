import { hostname } from 'node:os';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
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
  /** Of which service each path is. */
  private readonly services = new Map<string, DiscoveredService>();
  private readonly forget: () => void;

  /** @param credentialsFor of the channels to each service: instances are asked for their health with the same */
  constructor(
    private readonly settings: EtcdSettings,
    private readonly credentialsFor: (service: DiscoveredService) => ChannelCredentials = () => credentials.createInsecure(),
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
    this.services.set(path, service);
    return `${parsed.kind}://${this.id}/${path}`;
  }

  /** host:port of each instance of a target that is known now, ill ones too: for telling why none is reached. */
  addressesOf(target: string): readonly string[] {
    const path = pathOf(target);
    if (path === undefined) return [target.replace(/^dns:\/\/\//, '')];
    return this.endpoints.get(path)?.known ?? addressesIn(path) ?? [];
  }

  /** Looks for the instances of a target from now on, not from the first call: an etcd that is lost later is no harm then. */
  prepare(target: string): void {
    const path = pathOf(target);
    if (path !== undefined) this.endpointsOf(path).subscribe(() => undefined);
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
    const name = path.split('/', 1)[0]!;
    const service = this.services.get(path);
    const watchHealth = service && ((address: string, onChange: () => void) => this.watchHealth(name, service, address, onChange));
    const endpoints = new ServiceEndpoints(
      (found) => this.find(path, found),
      watchHealth,
      () => this.endpoints.delete(path),
    );
    this.endpoints.set(path, endpoints);
    return endpoints;
  }

  private find(path: string, found: Found): InstanceSource {
    const addresses = addressesIn(path);
    if (!addresses) return new EtcdInstances(this.etcd!, path, this.settings.ETCD_LEASE_SECONDS * 1000, found);
    found.instances(addresses);
    return { close: () => undefined };
  }

  /** By a target of one address, which no health is asked for, and which has the name that certificates are checked for. */
  private watchHealth(name: string, service: DiscoveredService, address: string, onChange: () => void): HealthWatch {
    return new HealthWatch(`list://${this.id}/${name}/${address}`, this.credentialsFor(service), HEALTH_NAMES[service], onChange);
  }
}

/** Undefined where grpc-js finds it by itself. */
const pathOf = (target: string): string | undefined => /^(?:etcd|list):\/\/[^/]*\/(.*)$/.exec(target)?.[1];

/** Those of a list; undefined where etcd tells them. */
const addressesIn = (path: string): string[] | undefined => path.split('/')[1]?.split(',');
