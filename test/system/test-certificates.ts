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
  const path = (name: string) => join(folder, name);
  const request = (name: string, ...more: string[]) => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', path(`${name}.key`)];
    execFileSync('openssl', ['req', '-x509', ...key, '-days', '2', '-out', path(`${name}.pem`), ...more], { stdio: 'pipe' });
  };
  request('ca', '-subj', '/CN=test authority');
  const signed = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-addext', 'basicConstraints=critical,CA:FALSE'];
  request('server', '-subj', '/CN=localhost', ...signed, '-addext', 'subjectAltName=DNS:localhost');
  return { ca: readFileSync(path('ca.pem')), certificatePath: path('server.pem'), keyPath: path('server.key') };
}
