import type { MigrationInterface } from 'typeorm';

/** How an app speaks to its database. */
export interface DatabaseSettings {
  /** postgres://user:password@host:port/database */
  url: string;
  /** Connections of one process, at most. */
  poolSize: number;
  /** The longest that a call may take, in milliseconds; a statement gets a third of it. */
  callMs: number;
  /** As pg_stat_activity shows it. */
  applicationName: string;
  /** Oldest first: what the database must have had applied, no more and no less. */
  migrations: readonly (new () => MigrationInterface & { name: string })[];
  /** Where it is kept what was applied; each app has its own, so that two may share a database. */
  migrationsTable: string;
}
