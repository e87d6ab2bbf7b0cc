import type { HealthWatch } from './health.watch';
import { MAX_INSTANCES } from './service-address';

/** Changes that come within this become one. */
const DEBOUNCE_MS = 100;

/** What a source tells. */
export interface Found {
  /** All instances, host:port each. */
  instances(addresses: readonly string[]): void;
  failed(reason: string): void;
}

export interface InstanceSource {
  close(): void;
}

/** What channels are told: where calls may go now, host:port each, or why that is not known. */
export type Endpoints = { addresses: readonly string[] } | { failure: string };

type Listener = (endpoints: Endpoints) => void;
type WatchHealth = (address: string, onChange: () => void) => HealthWatch;

/**
 * The endpoints of one service, found and watched once for all channels of the process that ask: those which the source
 * names and health does not warn of. Where health warns of all of them, all are told, so that callers get the service's
 * own error. Changes are told together, and sets that are the same as before not at all: the balancer builds all anew for
 * each.
 */
export class ServiceEndpoints implements Found {
  private readonly source: InstanceSource;
  private readonly listeners = new Set<Listener>();
  private readonly health = new Map<string, HealthWatch>();
  private registered: readonly string[] | undefined;
  private told: Endpoints | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param watchHealth undefined: the source is believed */
  constructor(
    findInstances: (found: Found) => InstanceSource,
    private readonly watchHealth: WatchHealth | undefined,
    private readonly onUnused: () => void,
  ) {
    this.source = findInstances(this);
  }

  /** All that the source names, ill ones too. */
  get known(): readonly string[] | undefined {
    return this.registered;
  }

  /** Told what is known already, and each change, never before this returns. @returns ends it */
  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    setImmediate(() => {
      if (this.told && this.listeners.has(listener)) listener(this.told);
    });
    return () => {
      if (this.listeners.delete(listener) && this.listeners.size === 0) this.close();
    };
  }

  close(): void {
    this.source.close();
    for (const watch of this.health.values()) watch.close();
    this.health.clear();
    this.listeners.clear();
    clearTimeout(this.timer);
    this.onUnused();
  }

  instances(addresses: readonly string[]): void {
    this.registered = [...new Set(addresses)].sort().slice(0, MAX_INSTANCES);
    for (const [address, watch] of this.health) {
      if (this.registered.includes(address)) continue;
      watch.close();
      this.health.delete(address);
    }
    for (const address of this.watchHealth ? this.registered : []) {
      if (!this.health.has(address))
        this.health.set(
          address,
          this.watchHealth!(address, () => this.changed()),
        );
    }
    this.changed();
  }

  failed(reason: string): void {
    if (this.registered === undefined) this.tell({ failure: reason });
  }

  /** Those that are waiting for a first set are not kept waiting once all is known. */
  private changed(): void {
    const first = this.told === undefined || 'failure' in this.told;
    if (first && [...this.health.values()].every(({ state }) => state !== 'unknown')) this.settle();
    else this.timer ??= setTimeout(() => this.settle(), DEBOUNCE_MS).unref();
  }

  private settle(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const registered = this.registered ?? [];
    const inState = (wanted: string) => registered.filter((address) => this.health.get(address)?.state === wanted);
    const serving = this.watchHealth ? inState('serving') : registered;
    // One of these may be well: that is known in a second.
    if (serving.length === 0 && inState('unknown').length > 0) return;
    this.tell({ addresses: serving.length > 0 ? serving : registered });
  }

  private tell(endpoints: Endpoints): void {
    if (JSON.stringify(endpoints) === JSON.stringify(this.told)) return;
    this.told = endpoints;
    for (const listener of this.listeners) listener(endpoints);
  }
}
