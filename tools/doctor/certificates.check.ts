import type { X509Certificate } from 'node:crypto';
import { CertificateFault, certificatePaths, type Certificates, readCertificates } from '@sky-genesis/grpc';
import { DAY_MS, dayOf, expiry, isSignedBy, namesIn } from './certificate';
import type { DoctorSettings } from './doctor.settings';
import { failure, type Finding, ok, warning } from './finding';
import type { TlsFiles } from './tls.probe';

/** What is shown and trusted in calls of gRPC; empty where the files cannot be used, undefined where gRPC is plaintext. */
export function tlsFilesOf(settings: DoctorSettings): TlsFiles | undefined {
  const paths = certificatePaths(settings);
  if (!paths) return undefined;
  try {
    const { certificate, key, ca } = readCertificates(paths);
    return { ca: ca.toString(), cert: certificate.toString(), key: key.toString() };
  } catch (error) {
    if (error instanceof CertificateFault) return {};
    throw error;
  }
}

/** What is wrong with the files themselves, before anything is sent: read, fit together, signed, in date. */
export function checkCertificates(settings: DoctorSettings, now = Date.now()): Finding[] {
  const paths = certificatePaths(settings);
  if (!paths) return [];
  try {
    const files = readCertificates(paths);
    return [
      ...files.authorities.flatMap((authority) => dated('GRPC_TLS_CA', authority, now)),
      ...signed(files),
      ...dated('GRPC_TLS_CERT', files.chain[0], now),
    ];
  } catch (error) {
    if (!(error instanceof CertificateFault)) throw error;
    return [failure(error.setting, error.message, 'Put there what belongs together: npm run certs makes a CA and pairs for trying.')];
  }
}

function signed({ chain, authorities }: Certificates): Finding[] {
  if (isSignedBy(chain, authorities)) return [];
  const todo = 'Use a certificate of that CA, add its CA to GRPC_TLS_CA, or what is between to the file of the certificate.';
  return [failure('GRPC_TLS_CERT', `is signed by ${oneLine(chain.at(-1)!.issuer)}, which GRPC_TLS_CA does not hold`, todo)];
}

function dated(name: string, certificate: X509Certificate, now: number): Finding[] {
  const faults = expiry(certificate, now);
  if (faults.length > 0) return faults.map(({ found, todo }) => failure(name, found, todo));
  const endsAt = certificate.validToDate.getTime();
  const summary = `${namesIn(certificate)}, good until ${dayOf(endsAt)}`;
  if (endsAt - now < 14 * DAY_MS)
    return [warning(name, `${summary}: less than two weeks`, 'Renew it: it is read again while services run.')];
  return [ok(name, summary)];
}

const oneLine = (name: string): string => name.replaceAll('\n', ', ');
