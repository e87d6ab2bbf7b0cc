import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TestCertificates {
  /** PEM: who signed the certificate. */
  readonly ca: Buffer;
  /** Of a server called `localhost`. */
  readonly certificatePath: string;
  readonly keyPath: string;
}

/** Made by openssl, in a folder that is there; valid for two days. */
export function makeCertificates(folder: string): TestCertificates {
  makeAuthority(folder, 'ca');
  makeCertificate(folder, 'localhost', 'ca');
  const path = (name: string) => join(folder, name);
  return { ca: readFileSync(path('ca.pem')), certificatePath: path('localhost.pem'), keyPath: path('localhost.key') };
}

/** `<name>.pem` and `<name>.key`. */
export function makeAuthority(folder: string, name: string): void {
  request(folder, name, []);
}

/** `<name>.pem` and `<name>.key`, good for both ends of a connection, of a host of that name. */
export function makeCertificate(folder: string, name: string, authority: string): void {
  const signed = ['-CA', join(folder, `${authority}.pem`), '-CAkey', join(folder, `${authority}.key`)];
  request(folder, name, [...signed, '-addext', 'basicConstraints=critical,CA:FALSE', '-addext', `subjectAltName=DNS:${name}`]);
}

function request(folder: string, name: string, more: string[]): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', join(folder, `${name}.key`)];
  const args = ['req', '-x509', ...key, '-days', '2', '-subj', `/CN=${name}`, '-out', join(folder, `${name}.pem`), ...more];
  execFileSync('openssl', args, { stdio: 'pipe' });
}
