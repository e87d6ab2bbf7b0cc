import 'reflect-metadata';
import { ConfigError, optional, readConfig } from '@sky-genesis/config';
import { runMigrations } from '@sky-genesis/database';
import { grpcSettings } from '@sky-genesis/grpc';
import { z } from 'zod';
import { searchDatabase, searchDatabaseSettings } from './database/search-database';

const settings = z.object({ ...searchDatabaseSettings, GRPC_TIMEOUT: grpcSettings.GRPC_TIMEOUT });

const engine = z.object({ ELASTICSEARCH_URL: optional(), SEARCH_DATABASE_URL: optional() });

async function migrate(): Promise<void> {
  const { ELASTICSEARCH_URL, SEARCH_DATABASE_URL } = readConfig(engine, process.env);
  if (ELASTICSEARCH_URL !== undefined) {
    return console.log('search: nothing to migrate on Elasticsearch, which is prepared when search starts');
  }
  // Search itself refuses to start so; who runs mail alone has no engine.
  if (SEARCH_DATABASE_URL === undefined) return console.log('search: nothing to migrate without SEARCH_DATABASE_URL');
  const applied = await runMigrations(searchDatabase(readConfig(settings, process.env)));
  console.log(applied.length === 0 ? 'search: the schema is up to date' : `search: applied ${applied.join(', ')}`);
}

migrate().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
});
