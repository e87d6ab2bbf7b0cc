import { parseArgs } from 'node:util';
import { type App, apps } from './set-up';

export const USAGE = `Checks a set-up that runs, or does not, and says what to do.

  npm run -s doctor -- [--app NAME,...] [--json]

  --app   of which apps this is: ${apps.join(', ')} (default: all of them). What others need is not looked at.
  --json  the findings as JSON, for programs: {what, state: ok|warning|failure, found, todo}

Without GRPC_MAIL_SERVICE_ADDR and GRPC_SEARCH_SERVICE_ADDR it is the stack that "npm start" runs on SGE_DATA_DIR; else what
the settings in the environment say, as the apps read them (docs/settings.md). Nothing is changed and no mail is sent.
Ends with 0 when nothing failed, with 1 otherwise; docs/troubleshooting.md tells more.`;

/** The options are not what the usage says; the message tells which. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

export interface DoctorOptions {
  apps: readonly App[];
  json: boolean;
}

/**
 * Reads the command line; undefined when only help is asked for.
 * @throws UsageError
 */
export function readDoctorOptions(args: string[]): DoctorOptions | undefined {
  const { help, app, json } = parse(args);
  if (help) return undefined;
  const chosen = app?.split(',').map((name) => name.trim()) ?? apps;
  const unknown = chosen.filter((name) => !apps.some((known) => known === name));
  if (unknown.length > 0) throw new UsageError(`--app: there is no ${unknown.join(', ')}, only ${apps.join(', ')}`);
  return { apps: apps.filter((known) => chosen.includes(known)), json };
}

function parse(args: string[]) {
  try {
    const boolean = { type: 'boolean', default: false } as const;
    return parseArgs({ args, options: { help: { ...boolean, short: 'h' }, app: { type: 'string' }, json: boolean } }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
