import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { identitiesOf, namesService } from './peer-identity';

/** As Node's own checkServerIdentity tells it, so that it is understood in the same way. */
export class ServerNameError extends Error {
  readonly code = 'ERR_TLS_CERT_ALTNAME_INVALID';
}

/**
 * Whether the certificate of a server is for the host that was called, or for the service that it should be: instances
 * behind etcd are called by addresses, which come and go. Alternative names only, never the common name.
 * @param raw DER
 * @returns the error that ends the connection; undefined if the name is right
 */
export function checkServer(raw: Buffer, host: string, service: string): Error | undefined {
  const certificate = new X509Certificate(raw);
  const isHost = isIP(host) === 0 ? certificate.checkHost(host, { subject: 'never' }) : certificate.checkIP(host);
  if (isHost !== undefined || namesService(identitiesOf(certificate), service)) return undefined;
  return new ServerNameError(
    `the certificate is for ${certificate.subjectAltName ?? 'no name'}, not for ${host} or the service ${service}`,
  );
}
