import { parseArgs } from 'node:util';
import { UsageError } from '../token/token.options';

const LONGEST_DAYS = 3650;
const MOST_NAMES = 100;
/** Names the files, and stands in DNS names and SPIFFE ids. */
const NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

export const USAGE = `Makes a development CA and a pair for each service, for GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA.

  npm run -s certs -- [--to FOLDER] [--names NAME,...] [--days DAYS] [--renew]

  --to     where: ca.pem and ca.key, <name>.pem and <name>.key (default: .certs)
  --names  the services (default: mail,search,api-gateway,edge). Each certificate is for its name, localhost, 127.0.0.1,
           ::1 and spiffe://sge/<name>
  --days   how long a pair is good for (default: 365)
  --renew  makes new pairs of the same CA, though those there are good

What is there and good for another week is left alone. Each file is replaced whole; services read them anew by themselves.

A new CA, while services run:
  1. npm run certs -- --to next                     another CA, and pairs of it
  2. cat .certs/ca.pem next/ca.pem > both.pem       everywhere: mv both.pem .certs/ca.pem; then wait GRPC_TLS_RELOAD_SECONDS
  3. mv next/*.pem and next/*.key, but ca.*, to .certs, everywhere; wait until every connection is a new one
  4. mv next/ca.* .certs                            what only the old CA has signed is refused from now on`;

export interface CertsOptions {
  folder: string;
  names: readonly string[];
  days: number;
  renew: boolean;
}

/**
 * Reads the command line; undefined when only help is asked for.
 * @throws UsageError
 */
export function readCertsOptions(args: string[]): CertsOptions | undefined {
  const { help, to, names, days, renew } = parse(args);
  if (help) return undefined;
  const services = names.split(',').map((name) => name.trim());
  const wrong = services.filter((name) => !NAME.test(name) || name === 'ca');
  if (wrong.length > 0) throw new UsageError(`--names: "${wrong.join('", "')}" must be lower case letters, digits and -, and not ca`);
  if (services.length > MOST_NAMES) throw new UsageError(`--names must be ${MOST_NAMES} at most`);
  if (!/^\d{1,4}$/.test(days) || Number(days) < 1 || Number(days) > LONGEST_DAYS) {
    throw new UsageError(`--days must be a number from 1 to ${LONGEST_DAYS}`);
  }
  return { folder: to, names: [...new Set(services)], days: Number(days), renew };
}

function parse(args: string[]) {
  const text = (byDefault: string) => ({ type: 'string', default: byDefault }) as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args,
      options: {
        help: { ...flag, short: 'h' },
        to: text('.certs'),
        names: text('mail,search,api-gateway,edge'),
        days: text('365'),
        renew: flag,
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
