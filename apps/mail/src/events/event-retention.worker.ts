import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { EventStore } from './event.store';

const INTERVAL_MS = 60_000;

/** Forgets events of EVENT_RETENTION_DAYS ago. Every process does it; that several do it at once is no matter. */
@Injectable()
export class EventRetentionWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(EventRetentionWorker.name);
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly store: EventStore,
    private readonly days: number,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setTimeout(() => void this.work(), INTERVAL_MS);
  }

  onModuleDestroy(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Forgets all that is too old now. */
  async forget(): Promise<void> {
    let tenants: string[];
    for (let after = ''; (tenants = await this.store.tenantsWithOld(this.days, after)).length > 0; after = tenants.at(-1)!) {
      for (const tenant of tenants) while (!this.stopped && (await this.store.forget(tenant, this.days)) > 0);
      if (this.stopped) return;
    }
  }

  private async work(): Promise<void> {
    try {
      await this.forget();
    } catch (err) {
      this.logger.warn({ err }, 'old events were not forgotten; trying again');
    }
    if (!this.stopped) this.timer = setTimeout(() => void this.work(), INTERVAL_MS);
  }
}
