import { type DynamicModule, Module } from '@nestjs/common';
import { DatabaseClient } from '@sky-genesis/database';
import { ObjectStore } from '../files/object.store';
import type { MailConfig } from '../mail.config';
import { DeliveryStore } from './delivery.store';
import { DeliveryWorker } from './delivery.worker';
import { DueSignal } from './due.signal';
import { HandoverService } from './handover.service';
import { OverdueStore } from './overdue.store';
import { OverdueWorker } from './overdue.worker';
import { Places } from './places';
import { Relay, type RelayLimits } from './relay';
import { parseRelays, type RelayAddress } from './relay-list';
import { Relays } from './relays';
import { RetrySchedule } from './retry-schedule';
import { SmtpConnectionFactory } from './smtp-connection.factory';
import { SmtpConnectionPool } from './smtp-connection.pool';
import { SmtpTransport } from './smtp.transport';
import { stateAges } from './state-ages';

@Module({})
export class DeliveryModule {
  static forRoot(config: MailConfig): DynamicModule {
    const addresses = parseRelays(config.MAIL_RELAY_URL).map((address) => {
      return { ...address, connections: address.connections ?? config.MAIL_RELAY_CONNECTIONS };
    });
    const settings = {
      concurrency: config.MAIL_WORKER ? Math.max(...addresses.map(({ connections }) => connections)) : 0,
      graceMs: config.DRAIN_SECONDS * 1000,
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
        { provide: Relays, useFactory: () => new Relays(addresses.map((address) => relay(address, config))) },
        {
          provide: HandoverService,
          useFactory: (store: DeliveryStore, objects: ObjectStore, relays: Relays) =>
            new HandoverService(store, objects, relays, { returnPath: config.MAIL_RETURN_PATH }),
          inject: [DeliveryStore, ObjectStore, Relays],
        },
        {
          provide: DeliveryWorker,
          useFactory: (store: DeliveryStore, handovers: HandoverService, due: DueSignal, places: Places) =>
            new DeliveryWorker(store, handovers, due, places, settings),
          inject: [DeliveryStore, HandoverService, DueSignal, Places],
        },
        { provide: Places, useFactory: () => new Places(settings.concurrency) },
        {
          provide: OverdueStore,
          useFactory: (database: DatabaseClient) => new OverdueStore(database, config.MAIL_ON_UNCERTAIN),
          inject: [DatabaseClient],
        },
        {
          provide: OverdueWorker,
          useFactory: (store: OverdueStore, places: Places) =>
            new OverdueWorker(store, places, stateAges({ ...config, relays: addresses.length })),
          inject: [OverdueStore, Places],
        },
      ],
      exports: [DueSignal, DeliveryWorker],
    };
  }
}

const relay = (address: RelayAddress & RelayLimits, config: MailConfig): Relay =>
  new Relay(new SmtpTransport(new SmtpConnectionPool(new SmtpConnectionFactory(address, config))), address);
