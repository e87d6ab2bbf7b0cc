import { ConfigError } from '@sky-genesis/config';
import { StartError } from '../stack/start-error';
import { tokenCommand } from './token.command';
import { UsageError } from './token.options';

try {
  console.log(tokenCommand(process.argv.slice(2), process.env));
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}\n(npm run token -- --help tells more)`);
  else if (error instanceof StartError || error instanceof ConfigError) console.error(error.message);
  else console.error(error);
  process.exitCode = 1;
}
