import { createPrivateKey, type X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { certificatesIn, DAY_MS, dayOf, expiry, isSignedBy, namesIn } from './certificate';
import type { DoctorSettings } from './doctor.settings';
import { failure, type Finding, ok, warning } from './finding';
import type { TlsFiles } from './tls.probe';

type TlsSettings = Pick<DoctorSettings, 'GRPC_TLS_CERT' | 'GRPC_TLS_KEY' | 'GRPC_TLS_CA'>;
type Name = keyof TlsSettings;

const NAMES: readonly Name[] = ['GRPC_TLS_CERT', 'GRPC_TLS_KEY', 'GRPC_TLS_CA'];

/** The files of the TLS settings, as far as they can be read; undefined where not all are set: then gRPC is plaintext. */
export function readTlsFiles(settings: TlsSettings): TlsFiles | undefined {
  if (!NAMES.every((name) => settings[name])) return undefined;
  const content = (name: Name) => {
    const path = settings[name];
    try {
      return path === undefined ? undefined : readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  };
  return { ca: content('GRPC_TLS_CA'), cert: content('GRPC_TLS_CERT'), key: content('GRPC_TLS_KEY') };
}

/** What is wrong with the files themselves, before anything is sent: read, fit together, signed, in date. */
export function checkCertificates(settings: TlsSettings, now = Date.now()): Finding[] {
  const findings: Finding[] = [];
  const authorities = readAs('GRPC_TLS_CA', settings, certificatesIn, findings);
  const chain = readAs('GRPC_TLS_CERT', settings, certificatesIn, findings);
  const key = readAs('GRPC_TLS_KEY', settings, createPrivateKey, findings);
  const unset = NAMES.filter((name) => !settings[name]);
  if (unset.length > 0 && unset.length < NAMES.length) {
    findings.push(
      ...unset.map((name) => failure(name, 'is not set, and others of the three are', 'Set all three, or none: then gRPC is plaintext.')),
    );
  }
  for (const ca of authorities ?? []) findings.push(...dated('GRPC_TLS_CA', ca, now));
  const [certificate] = chain ?? [];
  if (!chain || !certificate) return findings;
  if (key && !certificate.checkPrivateKey(key)) {
    findings.push(failure('GRPC_TLS_KEY', 'is not the key of GRPC_TLS_CERT', 'Put the two files of one pair there.'));
  }
  if (authorities && !isSignedBy(chain, authorities)) {
    const issuer = certificate.issuer.replaceAll('\n', ', ');
    const todo = 'Use a certificate of that CA, add its CA to GRPC_TLS_CA, or add what is between to the file of the certificate.';
    findings.push(failure('GRPC_TLS_CERT', `is signed by ${issuer}, which GRPC_TLS_CA does not hold`, todo));
  }
  return [...findings, ...dated('GRPC_TLS_CERT', certificate, now)];
}

function readAs<T>(name: Name, settings: TlsSettings, read: (pem: string) => T, findings: Finding[]): T | undefined {
  const path = settings[name];
  if (!path) return undefined;
  try {
    return read(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const found = code === 'ENOENT' || code === 'EACCES' ? `${path} cannot be read (${code})` : `${path}: ${message}`;
    findings.push(failure(name, found, 'Name a PEM file that this user may read.'));
    return undefined;
  }
}

function dated(name: Name, certificate: X509Certificate, now: number): Finding[] {
  const faults = expiry(certificate, now);
  if (faults.length > 0) return faults.map(({ found, todo }) => failure(name, found, todo));
  const endsAt = Date.parse(certificate.validTo);
  const summary = `${namesIn(certificate)}, good until ${dayOf(endsAt)}`;
  if (endsAt - now < 14 * DAY_MS) return [warning(name, `${summary}: less than two weeks`, 'Renew it.')];
  return [ok(name, summary)];
}
