/** Why a service cannot be reached: what its callers are told, without addresses or names. */
export const connectionCauses = {
  CONNECTION_REFUSED: 'connection refused, nobody listens at its address',
  CONNECTION_TIMEOUT: 'its address does not answer',
  CONNECTION_LOST: 'the connection ended',
  NAME_NOT_FOUND: 'its address is not known',
  NO_INSTANCES: 'it has no instances',
  TLS_NAME: 'its certificate is for another name',
  TLS_EXPIRED: 'its certificate has expired, or is not valid yet',
  TLS_UNTRUSTED: 'its certificate is not of a trusted CA',
  TLS_CERTIFICATE_REQUIRED: 'it asks for a client certificate',
  TLS_CERTIFICATE_EXPIRED: 'the client certificate has expired, or is not valid yet',
  TLS_CERTIFICATE_REFUSED: 'it does not accept the client certificate',
  PEER_NOT_ALLOWED: 'it is not set up to be called from here',
  PLAINTEXT_SERVER: 'it does not speak TLS',
  TLS_SERVER: 'it speaks TLS only',
  UNKNOWN: 'for an unknown cause',
} as const;

export type ConnectionCause = keyof typeof connectionCauses;

/** What Node, OpenSSL and grpc-js say, and what it means; the first that is found counts. */
const SIGNS: readonly (readonly [RegExp, ConnectionCause])[] = [
  [/no instance of|No addresses resolved/, 'NO_INSTANCES'],
  [/ECONNREFUSED/, 'CONNECTION_REFUSED'],
  [/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, 'CONNECTION_TIMEOUT'],
  [/ENOTFOUND|EAI_AGAIN|Name resolution failed/, 'NAME_NOT_FOUND'],
  [/ERR_TLS_CERT_ALTNAME_INVALID|altnames|ServerNameError|the certificate is for /, 'TLS_NAME'],
  [/alert certificate expired|ALERT_CERTIFICATE_EXPIRED/i, 'TLS_CERTIFICATE_EXPIRED'],
  [/alert certificate required|ALERT_CERTIFICATE_REQUIRED/i, 'TLS_CERTIFICATE_REQUIRED'],
  [/alert (unknown ca|bad certificate|certificate unknown|unsupported certificate|access denied)/i, 'TLS_CERTIFICATE_REFUSED'],
  [/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|certificate has expired|certificate is not yet valid/, 'TLS_EXPIRED'],
  [
    /UNABLE_TO_|SELF_SIGNED|self-signed certificate|unable to (verify|get)|CERT_SIGNATURE_FAILURE|INVALID_CA|INVALID_PURPOSE/,
    'TLS_UNTRUSTED',
  ],
  [/wrong version number|WRONG_VERSION_NUMBER|packet length too long|http request/, 'PLAINTEXT_SERVER'],
  [/ECONNRESET|EPIPE|socket hang up|Socket closed|before secure TLS connection|Connection dropped|Failed to connect/, 'CONNECTION_LOST'],
];

/** What the text of an error says of its cause. CONNECTION_LOST may have any: the other side just closed. */
export function causeIn(text: string): ConnectionCause {
  return SIGNS.find(([sign]) => sign.test(text))?.[1] ?? 'UNKNOWN';
}
