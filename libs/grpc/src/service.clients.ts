import { type ChannelCredentials, credentials as grpcCredentials } from '@grpc/grpc-js';
import type { OnApplicationShutdown } from '@nestjs/common';
import { ChannelPool } from './channel.pool';
import { FilesClient } from './files.client';
import type { GrpcClientSettings, GrpcSettings } from './grpc.settings';
import { MailClient } from './mail.client';
import { SearchClient } from './search.client';
import { ServiceChannel } from './service.channel';

/** Of each download: at a millisecond from the service, half a gigabyte a second; and what a client that does not read costs. */
const DOWNLOAD_WINDOW_BYTES = 524_288;

export interface ServiceClientsSettings {
  settings: GrpcSettings & GrpcClientSettings;
  /** As `ServiceChannel` takes it. */
  serviceToken: () => Promise<string> | undefined;
  credentials?: ChannelCredentials;
}

/** The clients of one app. A provider of Nest that closes their connections when the app ends. */
export class ServiceClients implements OnApplicationShutdown {
  private readonly pools: ChannelPool[] = [];

  constructor(private readonly settings: ServiceClientsSettings) {}

  mail(address: string): MailClient {
    return new MailClient(this.channelTo('MailService', address));
  }

  search(address: string): SearchClient {
    return new SearchClient(this.channelTo('SearchService', address));
  }

  files(address: string): FilesClient {
    return new FilesClient(this.channelTo('StreamingService', address, DOWNLOAD_WINDOW_BYTES));
  }

  onApplicationShutdown(): void {
    for (const pool of this.pools) pool.close();
  }

  private channelTo(service: string, address: string, windowBytes?: number): ServiceChannel {
    const { settings, serviceToken } = this.settings;
    const [unary, streams] = [this.poolTo(service, address), this.poolTo(service, address, windowBytes)];
    return new ServiceChannel({ service, unary, streams, timeoutMs: settings.GRPC_TIMEOUT * 1000, serviceToken });
  }

  private poolTo(service: string, address: string, windowBytes?: number): ChannelPool {
    const { settings: limits, credentials = grpcCredentials.createInsecure() } = this.settings;
    const { GRPC_POOL_SIZE: size, GRPC_SEARCH_HEDGING_MS: hedgeSearchMs } = limits;
    const pool = new ChannelPool({ service, target: address, credentials, limits, size, hedgeSearchMs, windowBytes });
    this.pools.push(pool);
    return pool;
  }
}
