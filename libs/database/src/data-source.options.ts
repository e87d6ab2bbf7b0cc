import { Client, type ClientConfig } from 'pg';
import type { DataSourceOptions } from 'typeorm';
import type { DatabaseSettings } from './database.settings';

/**
 * A connection that ends fails the statement that waits on it. It is also an event, which would end the process at any
 * moment when nobody listens; the pool leaves such moments, as when a connection ends while it is being handed out.
 */
class ListeningClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

/** How this app speaks to PostgreSQL: every wait is bounded, on both ends. */
export const dataSourceOptions = (settings: DatabaseSettings): DataSourceOptions => ({
  type: 'postgres',
  url: settings.url,
  applicationName: settings.applicationName,
  migrations: [...settings.migrations],
  migrationsTableName: settings.migrationsTable,
  migrationsTransactionMode: 'each',
  connectTimeoutMS: 3000,
  poolSize: settings.poolSize,
  // A connection that dies while idle is no failure of a call: the pool makes a new one.
  poolErrorHandler: () => undefined,
  extra: {
    Client: ListeningClient,
    // A third of the time that a call has, so that a database that hangs is told as such within the deadline.
    statement_timeout: Math.ceil(settings.callMs / 3),
    // The server answers within statement_timeout; without an answer by then the connection is given up.
    query_timeout: Math.ceil(settings.callMs / 3) + 1000,
    idle_in_transaction_session_timeout: 10_000,
    // Statements here are short, and compiling one would take longer than running it.
    options: '-c jit=off',
    keepAlive: true,
  },
});
