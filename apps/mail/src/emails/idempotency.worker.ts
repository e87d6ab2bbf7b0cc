import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { IDEMPOTENCY_HOURS } from './accept.statement';
import { EmailStore } from './email.store';

const INTERVAL_MS = 60_000;
const MAX_AT_ONCE = 5000;

/** Forgets idempotency keys a day old, so that the table stays as large as one day. */
@Injectable()
export class IdempotencyWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(IdempotencyWorker.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly store: EmailStore) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweep(), INTERVAL_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async sweep(): Promise<void> {
    try {
      let forgotten: number;
      do forgotten = await this.store.forgetOldKeys(IDEMPOTENCY_HOURS, MAX_AT_ONCE);
      while (forgotten === MAX_AT_ONCE);
    } catch (err) {
      this.logger.warn({ err }, 'old idempotency keys were not forgotten; trying again');
    }
  }
}
