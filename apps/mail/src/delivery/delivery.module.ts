import { type DynamicModule, Module } from '@nestjs/common';
import type { MailConfig } from '../mail.config';
import { DeliveryStore } from './delivery.store';
import { DeliveryWorker } from './delivery.worker';
import { DueSignal } from './due.signal';
import { HandoverService } from './handover.service';
import { RetrySchedule } from './retry-schedule';
import { SmtpConnectionFactory } from './smtp-connection.factory';
import { SmtpConnectionPool } from './smtp-connection.pool';
import { SmtpTransport } from './smtp.transport';

@Module({})
export class DeliveryModule {
  static forRoot(config: MailConfig): DynamicModule {
    const settings = {
      concurrency: config.MAIL_WORKER ? config.MAIL_RELAY_CONNECTIONS : 0,
      graceMs: config.SHUTDOWN_GRACE_SECONDS * 1000,
      policy: {
        retry: new RetrySchedule(config.MAIL_RETRY_BASE_SECONDS * 1000, config.MAIL_RETRY_MAX_SECONDS * 1000),
        onUncertain: config.MAIL_ON_UNCERTAIN,
      },
    };
    return {
      module: DeliveryModule,
      providers: [
        DueSignal,
        DeliveryStore,
        { provide: SmtpTransport, useFactory: () => new SmtpTransport(new SmtpConnectionPool(new SmtpConnectionFactory(config))) },
        {
          provide: HandoverService,
          useFactory: (store: DeliveryStore, transport: SmtpTransport) =>
            new HandoverService(store, transport, { returnPath: config.MAIL_RETURN_PATH }),
          inject: [DeliveryStore, SmtpTransport],
        },
        {
          provide: DeliveryWorker,
          useFactory: (store: DeliveryStore, handovers: HandoverService, due: DueSignal) =>
            new DeliveryWorker(store, handovers, due, settings),
          inject: [DeliveryStore, HandoverService, DueSignal],
        },
      ],
      exports: [DueSignal, DeliveryWorker],
    };
  }
}
