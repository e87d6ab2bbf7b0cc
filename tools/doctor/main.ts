import { ConfigError } from '@sky-genesis/config';
import { doctorCommand } from './doctor.command';
import { UsageError } from './doctor.options';

const WIDTH = 120;

async function main(): Promise<void> {
  const { text, healthy } = await doctorCommand(process.argv.slice(2), process.env, process.stdout.columns ?? WIDTH);
  // What still hangs, such as a relay that says nothing, is not waited for.
  process.stdout.write(text, () => process.exit(healthy ? 0 : 1));
}

main().catch((error: unknown) => {
  if (error instanceof UsageError) console.error(`${error.message}\n(npm run doctor -- --help tells more)`);
  else if (error instanceof ConfigError) console.error(error.message);
  else console.error(error);
  process.exitCode = 1;
});
