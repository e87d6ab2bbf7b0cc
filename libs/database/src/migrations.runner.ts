import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source.options';
import type { DatabaseSettings } from './database.settings';

/** Any number, the same for everyone who migrates this database. */
const MIGRATION_LOCK = 5_364_817;

/** Applies what is missing, oldest first, one at a time across all processes, and names what it applied. */
export async function runMigrations(settings: DatabaseSettings): Promise<string[]> {
  // A migration may take long; nothing but the lock and the operator bounds it.
  const dataSource = await new DataSource({ ...dataSourceOptions(settings), extra: {} } as never).initialize();
  try {
    const lock = dataSource.createQueryRunner();
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      return (await dataSource.runMigrations()).map(({ name }) => name);
    } finally {
      await lock.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      await lock.release();
    }
  } finally {
    await dataSource.destroy();
  }
}
