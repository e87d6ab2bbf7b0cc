import { TokenVerifier } from '@sky-genesis/auth';
import type { Environment } from '@sky-genesis/config';
import { DataFolder } from '../stack/data-folder';
import { localToken } from '../stack/local-token';
import { secretFiles } from '../stack/secrets';
import { readStackConfig } from '../stack/stack.config';
import { StartError } from '../stack/start-error';
import { readTokenOptions, USAGE, UsageError } from './token.options';

/**
 * What `npm run token` prints.
 * @throws UsageError, ConfigError, StartError
 */
export function tokenCommand(args: string[], environment: Environment): string {
  const options = readTokenOptions(args);
  if (!options) return USAGE;
  const config = readStackConfig(environment);
  const folder = new DataFolder(config.SGE_DATA_DIR);
  const { claims, expiresInSeconds } = options;
  const token = noStackYet(folder, () => localToken(config, secretFiles(folder.secrets).authSecret, claims, expiresInSeconds));
  if (token === undefined)
    throw new StartError('Tokens come from your own issuer (AUTH_JWKS_URI or AUTH_PUBLIC_KEY is set): only it can sign them.');
  checkClaims(claims);
  return token;
}

/** By the rules that the apps check a token by, so that none is printed that they refuse. */
function checkClaims(claims: object): void {
  const verifier = new TokenVerifier({ AUTH_SECRET: 'any', AUTH_ISSUER: '', AUTH_AUDIENCE: '', AUTH_TENANT_REQUIRED: false, NODE_ENV: '' });
  try {
    verifier.callerOf({ ...claims, exp: 1 });
  } catch (error) {
    throw new UsageError(`--${(error as Error).message} is not one that a token can have`);
  }
}

function noStackYet<T>(folder: DataFolder, sign: () => T): T {
  try {
    return sign();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new StartError(`No stack has run on ${folder.path} yet, so there is no key to sign with: run "npm start", or set SGE_DATA_DIR.`);
  }
}
