import { type DynamicModule, Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { DatabaseClient, DatabaseModule, type DatabaseSettings } from '@sky-genesis/database';
import { searchDatabase } from './database/search-database';
import { ElasticsearchEngine } from './engines/elasticsearch/elasticsearch.engine';
import { elasticsearchSettings } from './engines/elasticsearch/elasticsearch.settings';
import { PostgresEngine } from './engines/postgres/postgres.engine';
import { SearchEngine } from './engines/search.engine';
import { PreparedEngine } from './health/prepared.engine';
import type { SearchConfig } from './search.config';

/** The engine that the configuration says: Elasticsearch where it has one, else PostgreSQL. */
@Global()
@Module({})
export class EngineModule implements OnApplicationShutdown {
  static forRoot(config: SearchConfig): DynamicModule {
    const elasticsearch = elasticsearchSettings(config);
    if (elasticsearch) return EngineModule.of(new ElasticsearchEngine(elasticsearch));
    const { SEARCH_DATABASE_URL } = config;
    if (SEARCH_DATABASE_URL === undefined) throw new Error('neither ELASTICSEARCH_URL nor SEARCH_DATABASE_URL is set');
    return EngineModule.ofPostgres(searchDatabase({ ...config, SEARCH_DATABASE_URL }));
  }

  static of(engine: SearchEngine): DynamicModule {
    return {
      module: EngineModule,
      providers: [
        { provide: PreparedEngine, useValue: new PreparedEngine(engine) },
        { provide: SearchEngine, useExisting: PreparedEngine },
      ],
      exports: [PreparedEngine, SearchEngine],
    };
  }

  private static ofPostgres(settings: DatabaseSettings): DynamicModule {
    return {
      module: EngineModule,
      imports: [DatabaseModule.forRoot(settings)],
      providers: [
        {
          provide: PreparedEngine,
          useFactory: (database: DatabaseClient) => new PreparedEngine(new PostgresEngine(database)),
          inject: [DatabaseClient],
        },
        { provide: SearchEngine, useExisting: PreparedEngine },
      ],
      exports: [PreparedEngine, SearchEngine],
    };
  }

  constructor(@Inject(PreparedEngine) private readonly engine: PreparedEngine) {}

  /** Once the last batch is written. */
  async onApplicationShutdown(): Promise<void> {
    await this.engine.close();
  }
}
