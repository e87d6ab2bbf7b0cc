import 'reflect-metadata';
import { ConfigError } from '@sky-genesis/config';
import { readGatewayConfig } from './gateway.config';
import { startGateway } from './start-gateway';

async function main(): Promise<void> {
  const gateway = await startGateway(readGatewayConfig(process.env));
  const stop = () => void gateway.close().then(() => process.exit(0), fail);
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function fail(error: unknown): never {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
}

main().catch(fail);
