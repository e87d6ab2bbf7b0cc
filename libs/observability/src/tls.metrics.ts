import type { CertificateFiles, HandshakeFailure } from '@sky-genesis/grpc';
import { Counter, Gauge } from 'prom-client';

const observed = new Set<WeakRef<CertificateFiles>>();

new Gauge({
  name: 'grpc_tls_files_broken',
  help: 'Whether the TLS files on disk cannot be used (1), so that those read before are.',
  collect() {
    const files = filesInUse();
    if (files.length > 0) this.set(files.some(({ broken }) => broken) ? 1 : 0);
  },
});

new Gauge({
  name: 'grpc_tls_certificate_expiry_timestamp_seconds',
  help: 'When the certificate in use for gRPC, or one of its chain, expires: unix seconds.',
  collect() {
    const files = filesInUse();
    if (files.length > 0) this.set(Math.min(...files.map(({ expiresAt }) => expiresAt)));
  },
});

const handshakeFailures = new Counter({
  name: 'grpc_tls_handshake_failures_total',
  help: 'TLS handshakes of gRPC clients that failed, by the reason. `closed`: nothing was sent, as by probes of the port.',
  labelNames: ['reason'],
});

/** Tells the state of the files in `grpc_tls_files_broken` and `grpc_tls_certificate_expiry_timestamp_seconds`. */
export function observeCertificates(files: CertificateFiles): void {
  observed.add(new WeakRef(files));
}

export const countHandshakeFailure = (reason: HandshakeFailure): void => handshakeFailures.inc({ reason });

function filesInUse(): CertificateFiles[] {
  const inUse: CertificateFiles[] = [];
  for (const reference of observed) {
    const files = reference.deref();
    if (files) inUse.push(files);
    else observed.delete(reference);
  }
  return inUse;
}
