import 'reflect-metadata';
import { ConfigError } from '@sky-genesis/config';
import { SchemaMismatchError } from '@sky-genesis/database';
import { OtherInstanceError } from './files/local/local-store.claim';
import { OtherStoreError } from './files/store-identity';
import { readMailConfig } from './mail.config';
import { startMail } from './start-mail';

async function main(): Promise<void> {
  const mail = await startMail(readMailConfig(process.env));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      void mail.close().then(() => process.exit(0));
    });
  }
}

main().catch((error: unknown) => {
  const expected = [ConfigError, SchemaMismatchError, OtherStoreError, OtherInstanceError].some((known) => error instanceof known);
  console.error(expected ? (error as Error).message : error);
  process.exit(1);
});
