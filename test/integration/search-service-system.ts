import { FakeMailService } from '../../apps/api-gateway/testing/fake-mail.service';
import { FakeEngine } from '../../apps/search/src/documents/engine.fixture';
import { EngineModule } from '../../apps/search/src/engine.module';
import { readSearchConfig } from '../../apps/search/src/search.config';
import type { RunningService } from '@sky-genesis/service';
import { startSearch } from '../../apps/search/src/start-search';
import { searchEnvironment, SearchServiceClient } from './search-service-client';

/** The whole app, its engine a fake in memory, before a fake of mail: what the service itself decides, on its own wire. */
export class SearchServiceSystem {
  readonly engine = new FakeEngine();
  readonly mail = new FakeMailService();
  search!: RunningService;
  client!: SearchServiceClient;

  static async make(): Promise<SearchServiceSystem> {
    const system = new SearchServiceSystem();
    await system.mail.start();
    return system;
  }

  async start(settings: Record<string, string> = {}): Promise<void> {
    const environment = await searchEnvironment({
      ELASTICSEARCH_URL: 'http://unused.test',
      GRPC_MAIL_SERVICE_ADDR: this.mail.address,
      ...settings,
    });
    this.search = await startSearch(readSearchConfig(environment), EngineModule.of(this.engine));
    this.client = new SearchServiceClient(this.search.grpcUrl);
  }

  async stop(): Promise<void> {
    this.client?.close();
    await this.search?.close();
    this.mail.stop();
  }
}
