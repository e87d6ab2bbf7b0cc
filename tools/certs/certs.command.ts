import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StartError } from '../stack/start-error';
import { type CertsOptions, readCertsOptions, USAGE } from './certs.options';
import { makeAuthority, makePair } from './openssl';

const WEEK_MS = 7 * 86_400_000;

/**
 * What `npm run certs` prints.
 * @throws UsageError, StartError
 */
export function certsCommand(args: string[]): string {
  const options = readCertsOptions(args);
  return options ? makeCertificates(options) : USAGE;
}

/** Everything is made aside, so that nobody ever reads half a file. */
function makeCertificates({ folder: given, names, days, renew }: CertsOptions): string {
  const folder = resolve(given);
  mkdirSync(folder, { recursive: true });
  const aside = mkdtempSync(join(folder, '.new-'));
  const place = (name: string) => {
    chmodSync(join(aside, `${name}.key`), 0o600);
    chmodSync(join(aside, `${name}.pem`), 0o644);
    for (const file of [`${name}.key`, `${name}.pem`]) renameSync(join(aside, file), join(folder, file));
  };
  try {
    const made: string[] = [];
    if (!hasAuthority(folder)) {
      makeAuthority(aside);
      place('ca');
      made.push('ca');
    }
    for (const name of names.filter((name) => renew || !isGood(folder, name))) {
      makePair(aside, name, days, folder);
      place(name);
      made.push(name);
    }
    return told(folder, names, made);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** A CA is not replaced by the way: everything that it has signed would be refused. */
function hasAuthority(folder: string): boolean {
  if (!existsSync(join(folder, 'ca.pem')) && !existsSync(join(folder, 'ca.key'))) return false;
  if (isPair(folder, 'ca')) return true;
  throw new StartError(`ca.pem in ${folder} has expired, or ca.key is not its key: make another CA in a new folder (--to), see --help`);
}

const isGood = (folder: string, name: string): boolean => isPair(folder, name) && isOf(folder, name);

/** Whether both files are there, fit together, and are good for another week. */
function isPair(folder: string, name: string): boolean {
  try {
    const certificate = read(folder, name);
    const soon = Date.now() + WEEK_MS;
    return (
      certificate.validToDate.getTime() > soon && certificate.checkPrivateKey(createPrivateKey(readFileSync(join(folder, `${name}.key`))))
    );
  } catch {
    return false;
  }
}

const isOf = (folder: string, name: string): boolean => read(folder, name).verify(read(folder, 'ca').publicKey);

/** The first certificate of a file: in a bundle of CAs, the one that ca.key is of. */
const read = (folder: string, name: string): X509Certificate => new X509Certificate(readFileSync(join(folder, `${name}.pem`)));

function told(folder: string, names: readonly string[], made: readonly string[]): string {
  const path = (file: string) => join(folder, file);
  const lines = names.map(
    (name) => `  ${name}: GRPC_TLS_CERT=${path(`${name}.pem`)} GRPC_TLS_KEY=${path(`${name}.key`)} GRPC_TLS_CA=${path('ca.pem')}`,
  );
  return [made.length === 0 ? 'Everything is there already.' : `Made: ${made.join(', ')}.`, ...lines].join('\n');
}
