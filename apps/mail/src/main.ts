import 'reflect-metadata';
import { ConfigError } from '@sky-genesis/config';
import { SchemaMismatchError } from '@sky-genesis/database';
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
  const expected = error instanceof ConfigError || error instanceof SchemaMismatchError;
  console.error(expected ? error.message : error);
  process.exit(1);
});
