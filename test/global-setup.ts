import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresServer } from '../tools/stack/postgres-server';

declare global {
  var testPostgres: PostgresServer | undefined;
}

/** One real PostgreSQL for all suites of a run; each suite makes a database of its own in it, and keeps its files in a folder of that name. */
export default async function startTestPostgres(): Promise<void> {
  globalThis.testPostgres = await PostgresServer.started({ max_connections: '300' });
  process.env.TEST_FILES_DIR = mkdtempSync(join(tmpdir(), 'sge-test-files-'));
  process.env.TEST_POSTGRES_URL = globalThis.testPostgres.url.replace(/\/postgres$/, '');
}
