import { ConfigError } from '@sky-genesis/config';
import { readSinkConfig } from './sink.config';
import { startSink } from './sink.server';

async function main(): Promise<void> {
  const sink = await startSink(readSinkConfig(process.env));
  console.log(`SMTP sink on 127.0.0.1:${sink.port}`);
  const end = (): void => void sink.close().then(() => process.exit(0));
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
}

main().catch((error: Error) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
});
