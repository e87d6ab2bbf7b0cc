import { StartError } from '../stack/start-error';
import { UsageError } from '../token/token.options';
import { certsCommand } from './certs.command';

try {
  console.log(certsCommand(process.argv.slice(2)));
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}\n(npm run certs -- --help tells more)`);
  else if (error instanceof StartError) console.error(error.message);
  else console.error(error);
  process.exitCode = 1;
}
