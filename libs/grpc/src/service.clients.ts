import type { OnApplicationShutdown } from '@nestjs/common';
import { ChannelPool } from './channel.pool';
import type { DiscoveredService } from './discovery/discovery';
import { FilesClient } from './files.client';
import type { GrpcClientSettings, GrpcSettings } from './grpc.settings';
import { MailClient } from './mail.client';
import type { Connection, Mesh } from './mesh';
import { SearchClient } from './search.client';
import { ServiceChannel } from './service.channel';

/** Of each download: at a millisecond from the service, half a gigabyte a second; and what a client that does not read costs. */
const DOWNLOAD_WINDOW_BYTES = 524_288;

export interface ServiceClientsSettings {
  mesh: Pick<Mesh, 'connectionTo'>;
  limits: GrpcSettings & GrpcClientSettings;
  /** As `ServiceChannel` takes it. */
  serviceToken: () => Promise<string> | undefined;
}

/** The clients of one app; each takes the address of its service. A provider of Nest that closes their connections when the app ends. */
export class ServiceClients implements OnApplicationShutdown {
  private readonly pools: ChannelPool[] = [];

  constructor(private readonly settings: ServiceClientsSettings) {}

  mail(address: string): MailClient {
    return new MailClient(this.channelTo('MailService', 'mail', address));
  }

  search(address: string): SearchClient {
    return new SearchClient(this.channelTo('SearchService', 'search', address));
  }

  files(address: string): FilesClient {
    return new FilesClient(this.channelTo('StreamingService', 'mail', address, DOWNLOAD_WINDOW_BYTES));
  }

  onApplicationShutdown(): void {
    for (const pool of this.pools) pool.close();
  }

  private channelTo(service: string, app: DiscoveredService, address: string, windowBytes?: number): ServiceChannel {
    const { mesh, limits, serviceToken } = this.settings;
    const connection = mesh.connectionTo(app, address);
    const [unary, streams] = [this.poolTo(service, connection), this.poolTo(service, connection, windowBytes)];
    const explain = connection.errors.explain.bind(connection.errors);
    return new ServiceChannel({ service, unary, streams, timeoutMs: limits.GRPC_TIMEOUT * 1000, serviceToken, explain });
  }

  private poolTo(service: string, { target, credentials }: Connection, windowBytes?: number): ChannelPool {
    const { limits } = this.settings;
    const { GRPC_POOL_SIZE: size, GRPC_SEARCH_HEDGING_MS: hedgeSearchMs } = limits;
    const pool = new ChannelPool({ service, target, credentials, limits, size, hedgeSearchMs, windowBytes });
    this.pools.push(pool);
    return pool;
  }
}
