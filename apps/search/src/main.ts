import 'reflect-metadata';
import { ConfigError } from '@sky-genesis/config';
import { SchemaMismatchError } from '@sky-genesis/database';
import { readSearchConfig } from './search.config';
import { startSearch } from './start-search';

async function main(): Promise<void> {
  const search = await startSearch(readSearchConfig(process.env));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      void search.close().then(() => process.exit(0));
    });
  }
}

main().catch((error: unknown) => {
  const expected = error instanceof ConfigError || error instanceof SchemaMismatchError;
  console.error(expected ? error.message : error);
  process.exit(1);
});
