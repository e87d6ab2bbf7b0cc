import 'reflect-metadata';
import { ConfigError, readConfig } from '@sky-genesis/config';
import { runMigrations } from '@sky-genesis/database';
import { mailDatabase } from './database/mail-database';
import { mailSettings } from './mail.config';

const settings = mailSettings.pick({ DATABASE_URL: true, DATABASE_POOL_SIZE: true, GRPC_TIMEOUT: true });

async function migrate(): Promise<void> {
  const applied = await runMigrations(mailDatabase(readConfig(settings, process.env)));
  console.log(applied.length === 0 ? 'the schema is up to date' : `applied ${applied.join(', ')}`);
}

migrate().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
});
