import type { DatabaseSettings } from '@sky-genesis/database/database.settings';
import type { MailConfig } from '../mail.config';
import { migrations } from './migrations';

/** How mail speaks to its database. */
export const mailDatabase = (config: Pick<MailConfig, 'DATABASE_URL' | 'DATABASE_POOL_SIZE' | 'GRPC_TIMEOUT'>): DatabaseSettings => ({
  url: config.DATABASE_URL,
  poolSize: config.DATABASE_POOL_SIZE,
  callMs: config.GRPC_TIMEOUT * 1000,
  applicationName: 'sge-mail',
  migrations,
  migrationsTable: 'migrations',
});
