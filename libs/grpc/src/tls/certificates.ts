import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** The settings that are paths of files. */
export interface CertificatePaths {
  GRPC_TLS_CERT: string;
  GRPC_TLS_KEY: string;
  GRPC_TLS_CA: string;
}

/** A pair and the CAs of its peers, as files hold them, found to be good for TLS. */
export interface Certificates {
  /** PEM, with its chain. */
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
  /** The certificate itself, then its chain. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  readonly authorities: readonly X509Certificate[];
}

/** What is wrong with a file, and which setting names it. */
export class CertificateFault extends Error {
  constructor(
    readonly setting: keyof CertificatePaths,
    message: string,
  ) {
    super(message);
    this.name = 'CertificateFault';
  }
}

const MAX_BYTES = 1024 * 1024;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const BEGIN = /-----BEGIN CERTIFICATE-----/g;

/** @throws CertificateFault for what cannot be read, is no PEM, or does not fit together; not for what has expired */
export function readCertificates(paths: CertificatePaths): Certificates {
  const [certificate, key, ca] = [read(paths, 'GRPC_TLS_CERT'), read(paths, 'GRPC_TLS_KEY'), read(paths, 'GRPC_TLS_CA')];
  const chain = certificatesIn(certificate, 'GRPC_TLS_CERT', paths);
  const authorities = certificatesIn(ca, 'GRPC_TLS_CA', paths);
  if (!chain[0].checkPrivateKey(keyIn(key, paths))) {
    throw new CertificateFault('GRPC_TLS_KEY', `${paths.GRPC_TLS_KEY} is not the key of the certificate ${paths.GRPC_TLS_CERT}`);
  }
  try {
    createSecureContext({ cert: certificate, key, ca });
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new CertificateFault('GRPC_TLS_CERT', `${paths.GRPC_TLS_CERT} and its key cannot be used for TLS: ${code}`);
  }
  return { certificate, key, ca, chain, authorities };
}

/** When the first certificate of the chain expires, in unix seconds. */
export const expiryOf = ({ chain }: Certificates): number => Math.min(...chain.map(({ validToDate }) => validToDate.getTime() / 1000));

/** What is wrong with the time of a certificate or of its chain; undefined if nothing is. */
export function outsideOfItsTime({ chain }: Pick<Certificates, 'chain'>, now = Date.now()): string | undefined {
  for (const { validFromDate, validToDate, subject } of chain) {
    const named = subject.replaceAll('\n', ', ');
    if (now > validToDate.getTime()) return `${named} expired at ${validToDate.toISOString()}`;
    if (now < validFromDate.getTime()) return `${named} is not valid before ${validFromDate.toISOString()}`;
  }
  return undefined;
}

function read(paths: CertificatePaths, setting: keyof CertificatePaths): Buffer {
  const path = paths[setting];
  try {
    const found = statSync(path);
    if (!found.isFile()) throw new CertificateFault(setting, `${path} is not a file`);
    if (found.size > MAX_BYTES) throw new CertificateFault(setting, `${path} is larger than ${MAX_BYTES} bytes`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof CertificateFault) throw error;
    throw new CertificateFault(setting, `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** A file that is cut off in the middle is a fault, and not the certificates before that. */
function certificatesIn(
  pem: Buffer,
  setting: keyof CertificatePaths,
  paths: CertificatePaths,
): readonly [X509Certificate, ...X509Certificate[]] {
  const text = pem.toString('latin1');
  try {
    const [first, ...others] = (text.match(PEM_CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
    const isWhole = text.match(BEGIN)?.length === others.length + 1;
    if (first && isWhole) return [first, ...others];
  } catch {
    // Told below: what OpenSSL calls it helps nobody.
  }
  throw new CertificateFault(setting, `${paths[setting]} does not hold certificates as PEM, or not whole ones`);
}

function keyIn(pem: Buffer, { GRPC_TLS_KEY }: CertificatePaths): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new CertificateFault('GRPC_TLS_KEY', `${GRPC_TLS_KEY} does not hold a private key as PEM (without passphrase)`);
  }
}
