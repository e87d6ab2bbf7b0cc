import { parseArgs } from 'node:util';
import { scopes } from '@sky-genesis/auth';

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const LONGEST_SECONDS = 366 * 86_400;
const SCOPES: readonly string[] = [...scopes];

export const USAGE = `Prints a token for the stack that "npm start" runs (or ran) on SGE_DATA_DIR, or for AUTH_SECRET when that is set.

  npm run -s token -- --sub NAME --scope "SCOPE ..." [--tenant NAME] [--senders ADDRESS,...] [--expires TIME]

  --sub      who calls
  --scope    what they may, separated by blanks: ${SCOPES.join(' ')}
  --tenant   whose mails they see; without it they have a space of their own
  --senders  what may stand in "from": addresses, or *@domain for a whole domain, separated by commas; the first address
             is that of a mail without "from"
  --expires  how long it is good for: a number with s, m, h or d (default: 1h)`;

/** The options are not what the usage says; the message tells which. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

export interface TokenOptions {
  claims: { sub: string; scope: string; tenant?: string; senders?: string[] };
  expiresInSeconds: number;
}

/**
 * Reads the command line; undefined when only help is asked for.
 * @throws UsageError
 */
export function readTokenOptions(args: string[]): TokenOptions | undefined {
  const { help, sub, scope, tenant, senders, expires } = parse(args);
  if (help) return undefined;
  if (!sub) throw new UsageError('--sub is needed: who calls');
  const scopes = scope?.split(/\s+/).filter((name) => name !== '') ?? [];
  if (scopes.length === 0) throw new UsageError(`--scope is needed: one or more of ${SCOPES.join(' ')}`);
  const unknown = scopes.filter((name) => !SCOPES.includes(name));
  if (unknown.length > 0) throw new UsageError(`--scope: there is no ${unknown.join(', ')}, only ${SCOPES.join(' ')}`);
  return {
    claims: {
      sub,
      scope: scopes.join(' '),
      ...(tenant !== undefined && { tenant }),
      ...(senders !== undefined && { senders: senders.split(',').map((sender) => sender.trim()) }),
    },
    expiresInSeconds: secondsOf(expires),
  };
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args,
      options: {
        help: { type: 'boolean', short: 'h' },
        sub: text,
        scope: text,
        tenant: text,
        senders: text,
        expires: { ...text, default: '1h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function secondsOf(expires: string): number {
  const [, number, unit] = /^(\d{1,9})([smhd])$/.exec(expires) ?? [];
  const seconds = Number(number) * (UNIT_SECONDS[unit ?? ''] ?? NaN);
  if (!(seconds >= 1 && seconds <= LONGEST_SECONDS))
    throw new UsageError('--expires must be a number with s, m, h or d, such as 1h, and a year at most');
  return seconds;
}
