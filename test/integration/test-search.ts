import { runMigrations } from '@sky-genesis/database';
import { searchDatabase } from '../../apps/search/src/database/search-database';
import { readSearchConfig } from '../../apps/search/src/search.config';
import { startSearch } from '../../apps/search/src/start-search';
import { createDatabase } from './test-database';
import { AUTH, SERVICE_KEY, type StartSearch } from './test-system';

/** For `TestSystem.start`: search on the embedded engine. */
export const embeddedSearch =
  (settings: Record<string, string> = {}): StartSearch =>
  async (address, mail) => {
    const database = await createDatabase();
    const config = readSearchConfig({
      ...AUTH,
      SERVICE_KEY,
      LOG_LEVEL: 'silent',
      NODE_ENV: 'test',
      DRAIN_NOTICE_SECONDS: '0',
      DRAIN_SECONDS: '2',
      GRPC_PORT: address.slice(address.lastIndexOf(':') + 1),
      HEALTH_PORT: '0',
      SEARCH_DATABASE_URL: database.url,
      GRPC_MAIL_SERVICE_ADDR: mail,
      ...settings,
    });
    await runMigrations(searchDatabase({ ...config, SEARCH_DATABASE_URL: database.url }));
    const { grpcUrl, healthUrl, close } = await startSearch(config);
    return { grpcUrl, healthUrl, database, close };
  };
