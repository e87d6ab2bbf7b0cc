import { DataSource } from 'typeorm';
import { DatabaseClient, dataSourceOptions, runMigrations } from '@sky-genesis/database';
import { searchDatabase } from '../../apps/search/src/database/search-database';
import { PostgresEngine } from '../../apps/search/src/engines/postgres/postgres.engine';
import { describeEngine } from '../../apps/search/testing/engine.conformance';
import { createDatabase } from './test-database';

describeEngine('postgres', async () => {
  const database = await createDatabase();
  const settings = { SEARCH_DATABASE_URL: database.url, SEARCH_DATABASE_POOL_SIZE: 4, GRPC_TIMEOUT: 30 };
  await runMigrations(searchDatabase(settings));
  const dataSource = await new DataSource(dataSourceOptions(searchDatabase(settings))).initialize();
  const engine = new PostgresEngine(new DatabaseClient(dataSource));
  return {
    engine,
    another: () => new PostgresEngine(new DatabaseClient(dataSource)),
    close: async () => {
      await engine.close();
      await dataSource.destroy();
      await database.drop();
    },
  };
});
