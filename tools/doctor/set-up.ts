import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '@sky-genesis/config';
import { appEnvironments } from '../stack/app-environment';
import { DataFolder } from '../stack/data-folder';
import { EmbeddedPostgres } from '../stack/embedded-postgres';
import { secretFiles } from '../stack/secrets';
import { readStackConfig } from '../stack/stack.config';
import { readStackFile, type StackDescription } from '../stack/stack-file';
import { type DoctorSettings, readWhatCanBeRead } from './doctor.settings';

export const apps = ['mail', 'search', 'gateway'] as const;
export type App = (typeof apps)[number];

/** What is to be checked. */
export interface SetUp {
  /** For a person: what this is, and by what it is known. */
  title: string;
  environments: Record<App, Environment>;
  settings: DoctorSettings;
  /** That `npm start` runs. */
  stack?: StackDescription;
}

const ELSEWHERE = ['GRPC_MAIL_SERVICE_ADDR', 'GRPC_SEARCH_SERVICE_ADDR'];
const NEEDED = [...ELSEWHERE, 'DATABASE_URL', 'SEARCH_DATABASE_URL', 'ELASTICSEARCH_URL', 'ETCD_ENDPOINTS'];

/**
 * The stack that `npm start` runs on SGE_DATA_DIR, unless the environment says where services are: then what that says.
 * @returns undefined where there is neither
 * @throws ConfigError of the stack's own settings
 */
export function findSetUp(environment: Environment): SetUp | undefined {
  const isSet = (name: string) => Boolean(environment[name] || environment[`${name}_FILE`]);
  const stack = ELSEWHERE.some(isSet) ? undefined : runningStack(environment);
  if (stack) return stack;
  if (!NEEDED.some(isSet)) return undefined;
  return {
    title: 'what the settings in the environment say',
    environments: { mail: environment, search: environment, gateway: environment },
    settings: readWhatCanBeRead(environment),
  };
}

function runningStack(environment: Environment): SetUp | undefined {
  const config = readStackConfig(environment);
  const folder = new DataFolder(config.SGE_DATA_DIR);
  const stack = descriptionIn(folder);
  if (!stack) return undefined;
  const secrets = secretFiles(folder.secrets);
  const embedded = config.DATABASE_URL === undefined ? embeddedPostgres(folder, secrets.databasePassword) : undefined;
  const environments = appEnvironments({ ...environment }, config, stack.ports, secrets, embedded);
  const edge = stack.ports.edge === undefined ? {} : { EDGE_PORT: String(stack.ports.edge), EDGE_DIR: folder.edge };
  return {
    title: `the stack that runs in ${folder.path}`,
    environments,
    settings: readWhatCanBeRead({ ...environments.gateway, ...edge }),
    stack,
  };
}

function descriptionIn(folder: DataFolder): StackDescription | undefined {
  try {
    return readStackFile(folder.stackFile);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The port is any free one; PostgreSQL itself tells it, in the fourth line of its pid file. Without one it does not run: port 1 refuses. */
function embeddedPostgres(folder: DataFolder, passwordFile: string): { mail: string; search: string } {
  const postgres = new EmbeddedPostgres({ folder: folder.postgres, port: Number(pidFile(folder.postgres)[3]) || 1, passwordFile });
  return { mail: postgres.url, search: postgres.searchUrl };
}

function pidFile(folder: string): string[] {
  try {
    return readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
