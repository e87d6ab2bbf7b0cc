import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { MailClient } from '@sky-genesis/grpc';

const TIMEOUT_MS = 2000;
/** Probes are open to everyone: however many there are, the mail service is asked once in this time. */
const CACHE_MS = 500;

/** Whether the mail service says that it serves (grpc.health.v1). */
@Injectable()
export class MailHealth {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly mail: MailClient,
  ) {}

  async check(): Promise<HealthIndicatorResult<'mail'>> {
    return this.indicators
      .check('mail')
      .attempt(async () => {
        if (!(await this.mail.isServing(TIMEOUT_MS))) throw new Error('not serving');
      })
      .withTimeout(TIMEOUT_MS)
      .cacheFor(CACHE_MS);
  }
}
