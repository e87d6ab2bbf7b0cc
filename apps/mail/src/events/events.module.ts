import { type DynamicModule, Module } from '@nestjs/common';
import type { MailConfig } from '../mail.config';
import { EventRetentionWorker } from './event-retention.worker';
import { EventStore } from './event.store';
import { EventTail } from './event.tail';
import { EventsGrpcController } from './events.grpc.controller';
import { ListEvents } from './list-events';
import { ReadEvents } from './read-events';
import { SearchFeedModule } from './search-feed/search-feed.module';
import { WatchEvents } from './watch-events';

@Module({})
export class EventsModule {
  static forRoot(config: MailConfig): DynamicModule {
    return {
      module: EventsModule,
      imports: [SearchFeedModule.forRoot(config)],
      controllers: [EventsGrpcController],
      providers: [
        EventStore,
        EventTail,
        ReadEvents,
        ListEvents,
        WatchEvents,
        {
          provide: EventRetentionWorker,
          useFactory: (store: EventStore) => new EventRetentionWorker(store, config.EVENT_RETENTION_DAYS),
          inject: [EventStore],
        },
      ],
    };
  }
}
