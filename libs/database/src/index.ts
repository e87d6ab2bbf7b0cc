export { dataSourceOptions } from './data-source.options';
export {
  DatabaseClient,
  type DatabaseSession,
  OutcomeUnknownError,
  type RunInTransaction,
  sqlState,
  type Statement,
} from './database.client';
export { type DatabaseSettings } from './database.settings';
export { DatabaseModule } from './database.module';
export { runMigrations } from './migrations.runner';
export { checkSchemaVersion, SchemaMismatchError } from './schema-version';
