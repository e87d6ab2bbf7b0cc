import { type DynamicModule, Module } from '@nestjs/common';
import { type ClientGrpc, ClientsModule } from '@nestjs/microservices';
import { ServiceTokens } from '@sky-genesis/auth';
import { grpcClientOptions, SearchClient } from '@sky-genesis/grpc';
import type { MailConfig } from '../../mail.config';
import type { DocumentBounds } from './email-document';
import { SearchFeedStore } from './search-feed.store';
import { SearchFeedWorker } from './search-feed.worker';

const SEARCH_CHANNEL = 'SEARCH_CHANNEL';

/** Feeds search, where there is one. */
@Module({})
export class SearchFeedModule {
  static forRoot(config: MailConfig): DynamicModule {
    const { GRPC_SEARCH_SERVICE_ADDR: address } = config;
    if (address === undefined || !config.SEARCH_FEED) return { module: SearchFeedModule };
    const tokens = new ServiceTokens(config.SERVICE_KEY);
    const settings = { timeoutMs: config.GRPC_TIMEOUT * 1000, serviceToken: () => tokens.issue('mail') };
    const bounds = boundsFor(config.GRPC_MAX_MESSAGE_SIZE);
    return {
      module: SearchFeedModule,
      imports: [ClientsModule.register([{ name: SEARCH_CHANNEL, ...grpcClientOptions(address, config, true) }])],
      providers: [
        SearchFeedStore,
        {
          provide: SearchFeedWorker,
          useFactory: (store: SearchFeedStore, channel: ClientGrpc) =>
            new SearchFeedWorker(store, new SearchClient(channel, settings), bounds),
          inject: [SearchFeedStore, SEARCH_CHANNEL],
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
