import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../stack/start-error';

const CA_DAYS = '3650';
const TIMEOUT_MS = 30_000;

/** `ca.key` and `ca.pem` in a folder. Each CA has a name of its own, so that it is seen which is meant. */
export function makeAuthority(folder: string): void {
  makeKey(folder, 'ca');
  const subject = `/CN=SGE development CA ${randomBytes(4).toString('hex')}`;
  const uses = ['-addext', 'basicConstraints=critical,CA:TRUE,pathlen:0', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  openssl(folder, ['req', '-x509', '-new', '-key', 'ca.key', '-days', CA_DAYS, '-subj', subject, ...uses, '-out', 'ca.pem']);
}

/**
 * `<name>.key` and `<name>.pem` in a folder, good for both ends of a connection.
 * @param authority the folder of `ca.pem` and `ca.key`
 */
export function makePair(folder: string, name: string, days: number, authority: string): void {
  makeKey(folder, name);
  openssl(folder, ['req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`]);
  const extensions = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=serverAuth,clientAuth',
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
    `subjectAltName=DNS:${name},DNS:localhost,IP:127.0.0.1,IP:::1,URI:spiffe://sge/${name}`,
  ];
  writeFileSync(join(folder, `${name}.ext`), extensions.join('\n'));
  const signer = [
    '-CA',
    join(authority, 'ca.pem'),
    '-CAkey',
    join(authority, 'ca.key'),
    '-set_serial',
    `0x${randomBytes(8).toString('hex')}`,
  ];
  const request = ['-in', `${name}.csr`, '-extfile', `${name}.ext`, '-days', String(days)];
  openssl(folder, ['x509', '-req', ...signer, ...request, '-out', `${name}.pem`]);
}

const makeKey = (folder: string, name: string): void =>
  openssl(folder, ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${name}.key`]);

function openssl(folder: string, args: string[]): void {
  try {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe', timeout: TIMEOUT_MS });
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: Buffer };
    if (code === 'ENOENT') throw new StartError('Certificates are made by openssl, which is not in PATH: install it.');
    throw new StartError(`openssl ${args[0]} failed: ${String(stderr ?? code).trim()}`);
  }
}
