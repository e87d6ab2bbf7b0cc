import { type DynamicModule, Module } from '@nestjs/common';
import { ServiceTokens } from '@sky-genesis/auth';
import { Mesh, ServiceClients } from '@sky-genesis/grpc';
import type { MailConfig } from '../../mail.config';
import type { DocumentBounds } from './email-document';
import { SearchFeedStore } from './search-feed.store';
import { SearchFeedWorker } from './search-feed.worker';

/** Feeds search, where there is one. */
@Module({})
export class SearchFeedModule {
  static forRoot(config: MailConfig): DynamicModule {
    const { GRPC_SEARCH_SERVICE_ADDR: address } = config;
    if (address === undefined || !config.SEARCH_FEED) return { module: SearchFeedModule };
    const tokens = new ServiceTokens(config.SERVICE_KEY);
    const bounds = boundsFor(config.GRPC_MAX_MESSAGE_SIZE);
    return {
      module: SearchFeedModule,
      providers: [
        SearchFeedStore,
        {
          provide: ServiceClients,
          inject: [Mesh],
          useFactory: (mesh: Mesh) => new ServiceClients({ mesh, limits: config, serviceToken: () => tokens.issue('mail') }),
        },
        {
          provide: SearchFeedWorker,
          inject: [SearchFeedStore, ServiceClients],
          useFactory: (store: SearchFeedStore, services: ServiceClients) => new SearchFeedWorker(store, services.search(address), bounds),
        },
      ],
    };
  }
}

/** As large as documents may be, and no larger than what fits a message. */
const boundsFor = (maxMessageBytes: number): DocumentBounds => ({
  contentBytes: Math.min(1024 * 1024, Math.floor(maxMessageBytes / 2)),
  attributesBytes: Math.min(128 * 1024, Math.floor(maxMessageBytes / 8)),
});
