import { flag, integer, listOf, optional } from '@sky-genesis/config';
import { z } from 'zod';
import { CertificateFault, type CertificatePaths, readCertificates } from './certificates';
import { isIdentity, peerRules } from './peer-rules';

/** TLS of gRPC, of servers and clients alike; an app's schema spreads them and adds `.check(tlsRules)`. */
export const tlsSettings = {
  GRPC_TLS_CERT: optional().describe(
    'Path of the certificate of this service, PEM with its chain: for the gRPC server and for calls to others. With GRPC_TLS_KEY and GRPC_TLS_CA, or none of them: then gRPC is plaintext.',
  ),
  GRPC_TLS_KEY: optional().describe('Path of the key of GRPC_TLS_CERT, PEM.'),
  GRPC_TLS_CA: optional().describe(
    'Path of the CAs that services and their callers must be signed by, PEM; several while one follows another.',
  ),
  GRPC_TLS_MUTUAL: flag(true).describe('Whether the gRPC server asks for a certificate of its callers and verifies it, where TLS is on.'),
  GRPC_TLS_PEERS: listOf([])
    .check(arePeers)
    .describe(
      'Who may call what, separated by commas: `identity=Service+Service`. An identity is a DNS name or a SPIFFE id of a client certificate, a service MailService, StreamingService, SearchService or `*`. Empty: whoever has a certificate of GRPC_TLS_CA may call all. Health is open to all of them.',
    ),
  GRPC_TLS_EDGE: listOf(['edge'])
    .check(areIdentities)
    .describe('DNS names and SPIFFE ids, separated by commas, of client certificates that are believed as TRUSTED_PROXIES are.'),
  GRPC_TLS_RELOAD_SECONDS: integer(1, 3600, 5).describe('How often the files are looked at; what has changed is used for new connections.'),
};

export type TlsSettings = z.infer<z.ZodObject<typeof tlsSettings>>;

const PATHS = ['GRPC_TLS_CERT', 'GRPC_TLS_KEY', 'GRPC_TLS_CA'] as const;

/** Where the files are; undefined where gRPC is plaintext. */
export function certificatePaths({ GRPC_TLS_CERT, GRPC_TLS_KEY, GRPC_TLS_CA }: Partial<TlsSettings>): CertificatePaths | undefined {
  if (GRPC_TLS_CERT === undefined || GRPC_TLS_KEY === undefined || GRPC_TLS_CA === undefined) return undefined;
  return { GRPC_TLS_CERT, GRPC_TLS_KEY, GRPC_TLS_CA };
}

/** Faults of the files, and of settings that do not go together; reported with those of the single settings. */
export const tlsRules = z.superRefine<Partial<TlsSettings>>(
  (settings, report) => {
    const fault = (name: string, message: string) => report.addIssue({ code: 'custom', path: [name], message });
    const missing = PATHS.filter((name) => settings[name] === undefined);
    if (missing.length > 0 && missing.length < PATHS.length) {
      for (const name of missing) fault(name, `is needed: ${PATHS.join(', ')} are set together, or none of them`);
    }
    if (settings.GRPC_TLS_PEERS?.length && (missing.length > 0 || settings.GRPC_TLS_MUTUAL === false)) {
      fault('GRPC_TLS_PEERS', 'needs client certificates: GRPC_TLS_CERT, GRPC_TLS_KEY, GRPC_TLS_CA, and GRPC_TLS_MUTUAL=true');
    }
    const paths = certificatePaths(settings);
    if (!paths) return;
    try {
      readCertificates(paths);
    } catch (error) {
      if (!(error instanceof CertificateFault)) throw error;
      fault(error.setting, error.message);
    }
  },
  { when: () => true },
);

function arePeers({ value, issues }: z.core.ParsePayload<string[]>): void {
  for (const entry of value) {
    try {
      peerRules([entry]);
    } catch (error) {
      issues.push({ code: 'custom', input: entry, message: (error as Error).message });
    }
  }
}

function areIdentities({ value, issues }: z.core.ParsePayload<string[]>): void {
  for (const name of value) {
    if (!isIdentity(name)) issues.push({ code: 'custom', input: name, message: `${name} is neither a DNS name nor a SPIFFE id` });
  }
}
