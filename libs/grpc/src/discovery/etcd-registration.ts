import { Logger } from '@nestjs/common';
import { Backoff, pause } from './backoff';
import type { EtcdClient } from './etcd.client';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2000;
/** The longest that `revoke` holds up a drain. */
const REVOKE_TIMEOUT_MS = 2000;

/** What the keys of the instances of a service begin with. */
export const keysOf = (service: string): string => `/services/${service}/`;

export interface Instance {
  /** As in etcd:///mail. */
  service: string;
  /** Unique among those of the service. */
  instance: string;
  /** host:port that others reach it by. */
  address: string;
}

/**
 * Keeps one instance registered, from now until `revoke()`: at `/services/<service>/<instance>`, under a lease. Whatever
 * happens to etcd, the app goes on, and the registration comes back by itself: a lost lease and a deleted key are noticed
 * within a third of the lease.
 */
export class EtcdRegistration {
  private readonly logger = new Logger(EtcdRegistration.name);
  private readonly backoff = new Backoff(FIRST_RETRY_MS, LAST_RETRY_MS);
  private readonly ending = new AbortController();
  private readonly key: string;
  private readonly ended: Promise<void>;
  private lease: string | undefined;
  private registered = false;
  /** When etcd last said that the lease lives. */
  private confirmedAt = 0;
  private troubled = false;

  /**
   * @param ttlSeconds how long etcd keeps what is silent
   * @param onChange told each time that it is or no longer is registered, for a gauge: false where etcd has been away for
   *   longer than the lease, too
   */
  constructor(
    private readonly etcd: EtcdClient,
    private readonly instance: Instance,
    private readonly ttlSeconds: number,
    private readonly onChange: (registered: boolean) => void = () => undefined,
  ) {
    this.key = `${keysOf(instance.service)}${instance.instance}`;
    this.ended = this.run();
  }

  /** Deregisters at once, so that nobody comes any more: before the drain. Never fails, and takes 2 s at most. */
  async revoke(): Promise<void> {
    if (this.ending.signal.aborted) return;
    this.ending.abort();
    const timeout = new AbortController();
    await Promise.race([this.leave(), pause(REVOKE_TIMEOUT_MS, timeout.signal)]);
    timeout.abort();
    this.tell(false);
  }

  private async leave(): Promise<void> {
    await this.ended;
    if (this.lease === undefined) return;
    await this.etcd.revokeLease(this.lease).catch(({ message }: Error) => {
      this.logger.warn(`${this.key} stays in etcd for ${this.ttlSeconds} s: ${message}`);
    });
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      try {
        await this.confirm();
        this.backoff.reset();
        await pause((this.ttlSeconds * 1000) / 3, signal);
      } catch (error) {
        this.fail(error as Error);
        await this.backoff.wait(signal);
      }
    }
  }

  /** One round: keeps the lease alive or makes one, and sees to the key. */
  private async confirm(): Promise<void> {
    if (this.lease !== undefined && (await this.etcd.keepAlive(this.lease)) <= 0) {
      this.logger.warn(`${this.key} lost its lease in etcd and registers again`);
      this.lease = undefined;
      this.tell(false);
    }
    if (this.lease === undefined) {
      this.lease = await this.etcd.grantLease(this.ttlSeconds);
      await this.put(this.lease);
    } else {
      await this.putIfGone(this.lease);
    }
    this.confirmedAt = Date.now();
    if (this.troubled) this.logger.log(`etcd is back: ${this.key} is registered`);
    this.troubled = false;
    this.tell(true);
  }

  /** A lease can outlive its key: somebody deletes it, or the put after the grant failed. */
  private async putIfGone(lease: string): Promise<void> {
    const found = (await this.etcd.list(this.key)).values.get(this.key);
    if (found === undefined) await this.put(lease);
    else if (found !== this.instance.address) throw new Error(`${found} has that name, too: SERVICE_INSTANCE must be unique`);
  }

  private put(lease: string): Promise<void> {
    return this.etcd.put(this.key, this.instance.address, lease);
  }

  /** An error line for an outage, not for each try. */
  private fail({ message }: Error): void {
    if (this.ending.signal.aborted) return;
    if (!this.troubled) this.logger.error(`${this.key} cannot be registered in etcd, goes on trying: ${message}`);
    this.troubled = true;
    if (Date.now() - this.confirmedAt > this.ttlSeconds * 1000) this.tell(false);
  }

  private tell(registered: boolean): void {
    if (registered === this.registered) return;
    this.registered = registered;
    this.onChange(registered);
  }
}
