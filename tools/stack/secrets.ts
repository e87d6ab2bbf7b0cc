import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from './write-whole';

/** Files of a folder only its owner reads, each made once and kept. */
export interface SecretFiles {
  /** Signs tokens: 32 random bytes, base64url. */
  authSecret: string;
  /** Signs calls between our own services: Ed25519, PKCS #8 PEM. */
  serviceKey: string;
  /** Signs the page tokens of search: 32 random bytes, base64url. */
  pageTokenKey: string;
  /** Of the embedded PostgreSQL. */
  databasePassword: string;
}

export function secretFiles(folder: string): SecretFiles {
  return {
    authSecret: join(folder, 'auth-secret'),
    serviceKey: join(folder, 'service-key.pem'),
    pageTokenKey: join(folder, 'page-token-key'),
    databasePassword: join(folder, 'database-password'),
  };
}

/** Makes what is missing. */
export function makeSecrets(folder: string): SecretFiles {
  const files = secretFiles(folder);
  once(files.authSecret, () => randomBytes(32).toString('base64url'));
  once(files.serviceKey, () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  once(files.pageTokenKey, () => randomBytes(32).toString('base64url'));
  once(files.databasePassword, () => randomBytes(24).toString('base64url'));
  return files;
}

function once(path: string, make: () => string): void {
  if (!existsSync(path)) writeWhole(path, make());
}
