import { Logger } from '@nestjs/common';
import { Backoff } from './backoff';
import { keysOf } from './etcd-registration';
import type { EtcdClient, KeyChange } from './etcd.client';
import { parseHostPort } from './host-port';
import type { Found, InstanceSource } from './service.endpoints';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5000;
/** Leases that ended together are told one after another, within this. */
const TOGETHER_MS = 1000;

/**
 * The instances of a service that are registered in etcd: lists them, watches from there on, and lists again whenever the
 * watch ends, for whatever reason (etcd away, compacted, wiped).
 *
 * Who is gone is believed to be gone when the watch tells so, as after `revoke()`. It is not believed at once, but only
 * after the grace, where etcd may have forgotten who is alive: what a list lacks after the watch was broken (etcd was
 * wiped, restored, or away for longer than leases last), and when the last ones vanish (an etcd that hung lets all leases
 * end when it goes on). Whoever lives registers again within that time, and who does not is told apart by health.
 */
export class EtcdInstances implements InstanceSource {
  private readonly logger = new Logger(EtcdInstances.name);
  private readonly backoff = new Backoff(FIRST_RETRY_MS, LAST_RETRY_MS);
  private readonly ending = new AbortController();
  private present = new Map<string, string>();
  /** Not registered any more, but believed to be there still. */
  private readonly held = new Map<string, { address: string }>();
  private readonly deleted = new Map<string, { address: string; at: number }>();
  private troubled = false;

  constructor(
    private readonly etcd: EtcdClient,
    private readonly service: string,
    private readonly graceMs: number,
    private readonly found: Found,
  ) {
    void this.run();
  }

  close(): void {
    this.ending.abort();
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    const prefix = keysOf(this.service);
    while (!signal.aborted) {
      try {
        const { values, revision } = await this.etcd.list(prefix);
        if (signal.aborted) return;
        this.listed(values);
        for await (const changes of this.etcd.watch(prefix, revision + 1n, signal)) this.changed(changes);
      } catch (error) {
        this.fail(error as Error);
      }
      await this.backoff.wait(signal);
    }
  }

  private listed(values: ReadonlyMap<string, string>): void {
    const before = this.present;
    this.present = new Map();
    for (const [key, value] of values) this.add(key, value);
    for (const [key, address] of before) if (!this.present.has(key)) this.hold(key, address);
    this.tell();
  }

  private changed(changes: readonly KeyChange[]): void {
    this.backoff.reset();
    if (this.troubled) this.logger.log(`etcd is back: instances of ${this.service} are watched`);
    this.troubled = false;
    if (changes.length === 0) return;
    for (const { key, value } of changes) {
      const address = this.present.get(key);
      this.present.delete(key);
      if (value !== undefined) this.add(key, value);
      else if (address !== undefined) this.deleted.set(key, { address, at: Date.now() });
    }
    for (const [key, { address, at }] of this.deleted) {
      if (Date.now() - at > TOGETHER_MS) this.deleted.delete(key);
      else if (this.present.size === 0) this.hold(key, address);
    }
    this.tell();
  }

  private add(key: string, value: string): void {
    this.held.delete(key);
    this.deleted.delete(key);
    try {
      parseHostPort(value);
      this.present.set(key, value);
    } catch (error) {
      this.logger.warn(`${key} in etcd is left out: ${(error as Error).message}`);
    }
  }

  private hold(key: string, address: string): void {
    const holding = { address };
    this.deleted.delete(key);
    this.held.set(key, holding);
    setTimeout(() => {
      // It may have come back, and be held anew.
      if (this.held.get(key) === holding && this.held.delete(key)) this.tell();
    }, this.graceMs).unref();
  }

  private tell(): void {
    const held = [...this.held.values()].map(({ address }) => address);
    if (!this.ending.signal.aborted) this.found.instances([...this.present.values(), ...held]);
  }

  /** An error line for an outage, not for each try. */
  private fail({ message }: Error): void {
    if (this.ending.signal.aborted || this.troubled) return;
    this.troubled = true;
    this.logger.error(`etcd does not tell the instances of ${this.service}, those known stay in use: ${message}`);
    this.found.failed(`etcd does not tell the instances of ${this.service}: ${message}`);
  }
}
