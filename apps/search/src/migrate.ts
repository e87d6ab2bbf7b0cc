import 'reflect-metadata';
import { ConfigError, optional, readConfig } from '@sky-genesis/config';
import { runMigrations } from '@sky-genesis/database';
import { grpcSettings } from '@sky-genesis/grpc';
import { z } from 'zod';
import { searchDatabase, searchDatabaseSettings } from './database/search-database';

const settings = z.object({ ...searchDatabaseSettings, GRPC_TIMEOUT: grpcSettings.GRPC_TIMEOUT });

const engine = z.object({ ELASTICSEARCH_URL: optional() });

async function migrate(): Promise<void> {
  if (readConfig(engine, process.env).ELASTICSEARCH_URL !== undefined) {
    console.log('nothing to migrate: search is on Elasticsearch, which is prepared when search starts');
    return;
  }
  const applied = await runMigrations(searchDatabase(readConfig(settings, process.env)));
  console.log(applied.length === 0 ? 'the schema is up to date' : `applied ${applied.join(', ')}`);
}

migrate().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
});
