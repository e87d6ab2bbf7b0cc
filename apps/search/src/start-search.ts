import type { DynamicModule } from '@nestjs/common';
import { type RunningService, startService } from '@sky-genesis/service';
import { EngineModule } from './engine.module';
import { EngineMonitor } from './health/engine.monitor';
import type { SearchConfig } from './search.config';
import { SearchModule } from './search.module';

/**
 * Starts answering, with Elasticsearch or without it: an engine that is away is prepared once it is there, and mail is
 * searched through MailService until then. PostgreSQL is waited for, and its schema must fit.
 * @param engine the module of another engine than the configuration says
 */
export const startSearch = (config: SearchConfig, engine: DynamicModule = EngineModule.forRoot(config)): Promise<RunningService> =>
  startService({
    name: 'search',
    contract: ['sky_genesis.SearchService'],
    config,
    module: SearchModule.forRoot(config, engine),
    begin: async (app) => {
      const monitor = app.get(EngineMonitor);
      await monitor.start();
      return { stop: () => monitor.stop() };
    },
  });
