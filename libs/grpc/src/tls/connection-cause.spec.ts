import { causeIn } from './connection-cause';

/** As grpc-js 1.14.7 tells them on Node 24. */
test.each([
  ['No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ', 'CONNECTION_REFUSED'],
  ['round_robin: No connection established. Last error: Error: connect ETIMEDOUT 192.0.2.1:50051', 'CONNECTION_TIMEOUT'],
  ['Name resolution failed for target dns:nowhere.invalid:1', 'NAME_NOT_FOUND'],
  ['no instance of mail is registered', 'NO_INSTANCES'],
  ['No connection established. Last error: Error: certificate has expired. Resolution note: ', 'TLS_EXPIRED'],
  ['No connection established. Last error: Error: unable to verify the first certificate; if the root CA', 'TLS_UNTRUSTED'],
  ['No connection established. Last error: Error: self-signed certificate in certificate chain', 'TLS_UNTRUSTED'],
  ["Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: IP: 127.0.0.1", 'TLS_NAME'],
  ['error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps', 'TLS_CERTIFICATE_REQUIRED'],
  ['error:0A000415:SSL routines:ssl3_read_bytes:ssl/tls alert certificate expired:../deps', 'TLS_CERTIFICATE_EXPIRED'],
  ['error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:../deps', 'TLS_CERTIFICATE_REFUSED'],
  ['error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps', 'PLAINTEXT_SERVER'],
  ['No connection established. Last error: Failed to connect (2026-11-28T19:55:31.976Z). Resolution note: ', 'CONNECTION_LOST'],
  ['Connection dropped', 'CONNECTION_LOST'],
  ['something else', 'UNKNOWN'],
])('%s', (text, cause) => {
  expect(causeIn(text)).toBe(cause);
});
