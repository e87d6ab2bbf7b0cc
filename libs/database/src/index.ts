export { dataSourceOptions } from './data-source.options';
export { DatabaseClient, type DatabaseSession, OutcomeUnknownError, type RunInTransaction } from './database.client';
export { type DatabaseSettings } from './database.settings';
export { DatabaseModule } from './database.module';
export { type Statement } from './held-connection';
export { runMigrations } from './migrations.runner';
export { checkSchemaVersion, SchemaMismatchError } from './schema-version';
export { sqlState } from './sql-state';
